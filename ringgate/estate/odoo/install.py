"""Installs Odoo: Debian's packages by the machine's own mirror, unpacked, and pinned Python packages beside them.

Nothing is installed into the system: apt only downloads, with lists and a cache of its own below the `tools/` folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from ringgate.estate.errors import EstateError
from ringgate.estate.odoo.series import SeriesFacts, Suite
from ringgate.estate.progress import Stage
from ringgate.estate.tools import LAYOUT, Tools, key, run

MIRROR = "http://deb.debian.org/debian"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
KEPT_LANGUAGES = ("de",)
"""Translations that are kept; all of them are most of the disk that the ERP takes."""


RELATIVE = """\
try:
    from werkzeug.wrappers import BaseResponse
except ImportError:
    pass
else:
    BaseResponse.autocorrect_location_header = False
"""
"""Old servers redirect to the host that they see, which behind a front door is nobody's address; new ones to a path."""


class PackagesGone(EstateError):
    """The mirror does not have the packages, or this machine cannot fetch them: no estate of this ERP can be made."""


def folder_of(tools: Tools, series: SeriesFacts) -> Path:
    """Where a series is, or will be: `tree/` is what Debian's packages hold, `bin/python` runs it."""
    parts = (LAYOUT, series.package, sorted(series.assets.items()), series.requirements, KEPT_LANGUAGES, series.python)
    return tools.root / f"odoo-{series.name}-{key(*parts)}"


def install(tools: Tools, series: SeriesFacts) -> Path:
    folder = folder_of(tools, series)
    return tools.once(f"Odoo {series.name}", folder, lambda new, stage: _build(tools, new, series, stage), "bin/python")


def _build(tools: Tools, new: Path, series: SeriesFacts, stage: Stage) -> None:
    stage.say("Python packages")
    _environment(new, series)
    stage.say("Debian packages")
    packages = new / ".packages"
    packages.mkdir()
    own = series.package
    _download(tools, own.suite, [f"{own.name}={own.version}"], packages)
    file = packages / own.file
    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != own.sha256:
        raise PackagesGone(f"The mirror's {own.name} is not the {own.version} that is known here: use another mirror.")
    for suite, names in series.assets.items():
        _download(tools, suite, names, packages)
    stage.say("unpacking")
    tree = new / "tree"
    for each in sorted(packages.glob("*.deb")):
        run(["dpkg-deb", "-x", str(each), str(tree)], f"{each.name} could not be unpacked")
    shutil.rmtree(packages)
    for translation in tree.rglob("*.po"):
        if translation.stem.partition("_")[0] not in KEPT_LANGUAGES:
            translation.unlink()


def _environment(folder: Path, series: SeriesFacts) -> None:
    uv = [sys.executable, "-m", "uv"]
    env = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    if "PIP_INDEX_URL" in env and "UV_INDEX_URL" not in env:
        env.setdefault("UV_DEFAULT_INDEX", env["PIP_INDEX_URL"])
    what = f"The Python packages of Odoo {series.name} could not be installed"
    python = _interpreter(series.python)
    run([*uv, "venv", "--quiet", "--clear", "--relocatable", "--python", python, str(folder)], what, env=env)
    inside = str(folder / "bin" / "python")
    target = [*uv, "pip", "install", "--quiet", "--python", inside]
    if not series.old_tools:
        run([*target, *series.requirements], what, env=env)
        return
    # Some of its packages are archives that only tools of their time unpack and build.
    run([*target, *series.old_tools], what, env=env)
    pip = [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-build-isolation"]
    run([*pip, *series.requirements], what, env=env)
    for packages in folder.glob("lib/python*/site-packages"):
        (packages / "sitecustomize.py").write_text(RELATIVE, encoding="utf-8")


def _interpreter(version: str) -> str:
    """A Python of that version on this machine; else uv is to look for one."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [Path(name) for name in (sys.executable, shutil.which(f"python{version}")) if name]
    for each in (*found, *sorted(pyenv.glob(f"{version}.*/bin/python"))):
        asked = [str(each), "-c", "import sys; print('%d.%d' % sys.version_info[:2], sys._base_executable or '')"]
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
        if told[:1] == [version]:
            return told[1] if len(told) > 1 else str(each)
    return version


# --- apt --------------------------------------------------------------------------------------------------------------


def _download(tools: Tools, suite: Suite, names: Iterable[str], target: Path) -> None:
    """Downloads packages of a suite with lists of our own. Raises PackagesGone."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise PackagesGone("Odoo comes as packages of Debian, and this machine has no apt-get: use one that has.")
    place = tools.root / "apt" / suite
    settings = place / "apt.conf"
    if not settings.is_file():
        _prepare(place, suite)
    said = _apt(["download", *names], settings, target)
    if said:
        raise PackagesGone(f"The Debian mirror has not got what Odoo needs ({said}): use another mirror, or wait.")


def _prepare(place: Path, suite: Suite) -> None:
    for each in ("lists/partial", "cache/archives/partial"):
        (place / each).mkdir(parents=True, exist_ok=True)
    (place / "status").touch()
    signed = f"[signed-by={KEYRING}] " if KEYRING.is_file() else ""
    (place / "sources.list").write_text(f"deb {signed}{_mirror()} {suite} main\n")
    settings = {
        "Dir::Etc::sourcelist": place / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State": place,
        "Dir::State::lists": place / "lists",
        "Dir::State::status": place / "status",
        "Dir::Cache": place / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    new = place / "new.conf"
    new.write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    said = _apt(["update"], new, place)
    if said:
        raise PackagesGone(f"Debian's {suite} cannot be read from {_mirror()} ({said}): check the network.")
    new.rename(place / "apt.conf")


def _mirror() -> str:
    """The mirror that this machine uses itself."""
    for source in SOURCES:
        if source.is_file() and (found := re.search(r"https?://\S+/debian/?(?=\s)", source.read_text() + "\n")):
            return found.group()
    return MIRROR


def _apt(command: list[str], settings: Path, folder: Path) -> str:
    """Runs apt-get; what it said if it failed, "" if all went well."""
    asked = ["apt-get", "-qq", "-c", str(settings), *command]
    done = subprocess.run(asked, cwd=folder, capture_output=True, text=True, check=False)
    if not done.returncode:
        return ""
    errors = [line[3:] for line in done.stderr.splitlines() if line.startswith("E: ")]
    return (errors or [f"exit code {done.returncode}"])[0].rstrip(".")[:200]
