"""Index of what pytest loads here; collecting scenarios is the business of Ringgate's own plugin."""

pytest_plugins: tuple[str, ...] = ("tests.support.estate", "tests.support.tooling", "tests.support.region")
