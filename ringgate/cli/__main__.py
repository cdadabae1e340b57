"""`python -m ringgate.cli` is `ringgate`."""

from ringgate.cli import main

main()
