"""Installs Tryton: each series in a virtual environment of its own, and its web client as the server hands it out."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ringgate.estate.errors import EstateError
from ringgate.estate.progress import Stage
from ringgate.estate.tools import LAYOUT, Tools, key, python_environment, python_tag, run
from ringgate.estate.tryton.series import MODULES, Series


def install_erp(tools: Tools, series: Series) -> Path:
    """The virtual environment of one series; `bin/trytond-admin` and `bin/python` are in it."""
    wanted = series.requirements(MODULES)
    folder = erp_folder(tools, series)
    return tools.once(f"Tryton {series.name}", folder, lambda new, _: python_environment(new, wanted), "bin/python")


def erp_folder(tools: Tools, series: Series) -> Path:
    """Where the environment is, or will be."""
    return tools.root / f"tryton-{series.name}-{key(LAYOUT, series.requirements(MODULES), python_tag())}"


def install_web_client(tools: Tools, series: Series) -> Path:
    """The root folder that the ERP's server hands out to browsers."""
    folder = web_client_folder(tools, series)
    return tools.once(
        f"Web client {series.name}", folder, lambda new, stage: _lay_out_web_client(tools, new, series, stage)
    )


def web_client_folder(tools: Tools, series: Series) -> Path:
    """Where the web client is, or will be."""
    client = series.web_client
    parts = (LAYOUT, client.packages, client.home, sorted(client.links.items()))
    return tools.root / f"web-{series.name}-{key(*parts)}"


def _lay_out_web_client(tools: Tools, new: Path, series: Series, stage: Stage) -> None:
    client = series.web_client
    npm = tools.npm(stage)
    stage.say("npm packages")
    work = new / ".npm"
    work.mkdir(parents=True)
    (work / "package.json").write_text('{"private": true}\n')
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"]
    # A Node that is not on PATH is found by npm's own scripts only if its folder is.
    env = {**os.environ, "PATH": os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", "")])}
    run([*npm, "install", *options, *client.packages], "The web client could not be installed", work, env)
    libraries = work / "node_modules"
    for part in (libraries / client.package).iterdir():
        part.rename(new / part.name)
    libraries.rename(new / client.home)
    shutil.rmtree(work)
    for name, target in client.links.items():
        link = new / client.home / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        if not link.exists():
            raise EstateError(f"The web client's package {name} has no {target}: npm delivered another version.")
