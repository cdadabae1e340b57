"""Installs what brings an Odoo 14.0 database to 19.0 in one hop: OpenUpgrade's scripts of five series, and an addon.

OCA, who make those scripts, support one series at a time and not this hop. The addon (`deploy/odoo/hop`) imports code
under AGPL-3 and is under that licence itself: it is copied into the ERP's addons and never imported here.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ringgate.estate.progress import Stage
from ringgate.estate.tools import LAYOUT, Tools, key, run
from ringgate.host import paths

ADDON = "ringgate_hop"
FRAMEWORK = "openupgrade_framework"
LAST = "19.0"
NOTE = "one hop from 14.0 to 19.0, which OCA, who make the scripts, do not support"


@dataclass(frozen=True, slots=True)
class Wheel:
    """One version of a package of the index, and the SHA-256 of its file."""

    name: str
    version: str
    sha256: str

    @property
    def line(self) -> str:
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}\n"


def _scripts(version: str, sha256: str) -> Wheel:
    return Wheel("odoo-addon-openupgrade-scripts", version, sha256)


SCRIPTS: Mapping[str, Wheel] = {
    "15": _scripts("15.0.1.0.0.568", "8d00c338b94dfb616935411866185133696bd2e1ca6f8f5da830ff7e6b68c085"),
    "16": _scripts("16.0.1.0.5.25", "ee68184a6acc9805a0117f81b9889ddd57a1438db0559a82cf5a12cea8aabfb5"),
    "17": _scripts("17.0.1.0.1.493", "c9860aaeda22feb563cd5687bd97a570c5b9c8da4ae97f3ed313882948d161e0"),
    "18": _scripts("18.0.1.0.0.554", "b05d20942faa739a7ced42d6ca0722331b8ebb937366cead3f50decbac9a4653"),
    "19": _scripts("19.0.1.0.0.407", "acbe77eee91f3238f4148d4a4d291c5c48fd03661edb564d810ea27188aef436"),
}
"""By the series that they lead to, in their order."""
AROUND = (
    Wheel(
        "odoo-addon-openupgrade-framework",
        "19.0.1.0.0.6",
        "2e8a13b17f63edd2f615c4be059517a5968213805524151f4ddc2719158653ca",
    ),
    Wheel("openupgradelib", "3.13.7", "86910f551cf949f062863eb1de3bf1582af77cd2b2bcc3031e1ee523c442e35c"),
)


@dataclass(frozen=True, slots=True)
class Hop:
    """The hop as it is installed. `addons` and `scripts` are for the ERP's configuration, `library` for its path."""

    folder: Path

    @property
    def addons(self) -> Path:
        return self.folder / "addons"

    @property
    def scripts(self) -> Path:
        return self.addons / "openupgrade_scripts" / "scripts"

    @property
    def library(self) -> Path:
        return self.folder / "library"

    @property
    def there(self) -> bool:
        return self.scripts.is_dir()


def source() -> Path:
    """The addon as it comes with Ringgate."""
    return paths.shipped("deploy") / "odoo" / "hop" / ADDON


def hop_of(tools: Tools) -> Hop:
    """Where the hop is, or will be."""
    texts = [each.read_text(encoding="utf-8") for each in sorted(source().rglob("*.*")) if each.suffix in _OWN]
    return Hop(tools.root / f"odoo-hop-{key(LAYOUT, SCRIPTS, AROUND, texts)}")


_OWN = (".py", ".txt")


def install(tools: Tools) -> Hop:
    hop = hop_of(tools)
    tools.once(f"Odoo's hop to {LAST}", hop.folder, _build)
    return hop


def _build(new: Path, stage: Stage) -> None:
    hop = Hop(new)
    stage.say("scripts")
    hop.scripts.mkdir(parents=True)
    _fetch(AROUND, hop.library)
    shutil.move(hop.library / "odoo" / "addons" / FRAMEWORK, hop.addons / FRAMEWORK)
    shutil.rmtree(hop.library / "odoo")
    for series, wheel in SCRIPTS.items():
        beside = new / f"series-{series}"
        _fetch([wheel], beside)
        found = beside / "odoo" / "addons" / "openupgrade_scripts"
        shutil.copytree(found / "scripts", hop.scripts, dirs_exist_ok=True)
        for each in found.glob("*.py"):  # the last series' are those that the framework loads
            shutil.copy(each, hop.scripts.parent)
        shutil.copytree(source(), hop.addons / ADDON, dirs_exist_ok=True)
        renamed = hop.addons / ADDON / "renamed"
        renamed.mkdir(exist_ok=True)
        shutil.copy(found / "apriori.py", renamed / f"apriori_{series}.py")
        shutil.rmtree(beside)


def _fetch(wheels: tuple[Wheel, ...] | list[Wheel], target: Path) -> None:
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    if "PIP_INDEX_URL" in env and "UV_INDEX_URL" not in env:
        env.setdefault("UV_DEFAULT_INDEX", env["PIP_INDEX_URL"])
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--target"]
    said = "".join(wheel.line for wheel in wheels)
    run([*command, str(target), "-r", "-"], "OpenUpgrade's scripts could not be installed", env=env, stdin=said)


def why_unfinished(log: str) -> str:
    """Why a migration that ended did not do all of its work, from its log; "" if it did."""
    failed = re.findall(r"HOP FAILED (.*)", log)
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return f"the step {failed[0].strip()[:300]}{more}"
    return "" if "HOP DONE" in log else last_error(log)


def last_error(log: str) -> str:
    """What a migration's log says of why it ended, in one line."""
    lines = [line for line in log.splitlines() if " CRITICAL " in line or " ERROR " in line or "Error: " in line]
    return (lines or log.splitlines() or ["it said nothing"])[-1].strip()[-300:].rstrip(".")
