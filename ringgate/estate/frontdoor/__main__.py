"""Starts the front door: `python -m ringgate.estate.frontdoor <run folder> <log folder> <dialect>`."""

from __future__ import annotations

import sys

from ringgate.estate.frontdoor.server import main

sys.exit(main(*sys.argv[1:]))
