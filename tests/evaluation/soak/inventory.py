"""The inventory that is soaked: an estate's tenants, with probes so often that half an hour holds many of each."""

from __future__ import annotations

import shutil
from pathlib import Path

PROBES = """
[probes]
api = "{api} s"
browser = "{browser} s"
[probes.scenarios.authority]
api = "{slow} s"
[probes.scenarios.tenant-disclosure]
api = "{slow} s"
[probes.scenarios.tenant-isolation]
api = "{slow} s"
"""


def write(source: Path, folder: Path, api: int) -> Path:
    """A copy without the tenants' own probe schedules; the slow scenarios, and all browsers, come half as often."""
    shutil.copytree(source, folder)
    for file in folder.glob("*.toml"):
        kept, inside = [], False
        for line in file.read_text().splitlines():
            inside = line.startswith("[probes") if line.startswith("[") else inside
            if not inside and not line.startswith("probes ="):
                kept.append(line)
        added = PROBES.format(api=api, browser=2 * api, slow=2 * api) if file.name == "defaults.toml" else ""
        file.write_text("\n".join(kept) + added)
    return folder
