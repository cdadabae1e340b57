"""Index of what pytest loads here. The scenarios' collection and options are Ringgate's own plugin, `ringgate.pytest_plugin`."""

pytest_plugins: tuple[str, ...] = ("fixtures.estate",)
