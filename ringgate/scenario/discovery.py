"""The scenarios there are: every `@scenario` in the modules of a folder, found by importing them."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from collections.abc import Collection
from pathlib import Path

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Scenario
from ringgate.host import paths


class DiscoveryError(RinggateError):
    """A scenario file cannot be read, or a scenario is not known."""


def known_scenarios(project: Path = Path()) -> dict[str, Scenario]:
    """The scenarios that come with Ringgate and those in `scenarios/` of the project, by id, sorted. One of the
    project's own takes the place of one with the same id that comes with Ringgate.

    Raises DiscoveryError, naming all files that are wrong."""
    shipped, own = paths.shipped("scenarios"), project.absolute() / "scenarios"
    return load_scenarios(shipped, *([own] if own.is_dir() and own.resolve() != shipped.resolve() else []))


def load_scenarios(*folders: Path) -> dict[str, Scenario]:
    """Every scenario of the folders and of their `in_flight/`, by id, sorted.

    Raises DiscoveryError, naming all files that are wrong."""
    found: dict[str, tuple[Scenario, Path]] = {}
    wrong: list[str] = []
    files = [(path, each) for each in folders for path in sorted([*each.glob("*.py"), *each.glob("in_flight/*.py")])]
    for path, folder in files:
        try:
            members = vars(_module(path, folder)).values()
        except Exception as error:
            wrong.append(f"{path}: cannot be imported: {type(error).__name__}: {error}")
            continue
        for scenario in {id(m): m for m in members if isinstance(m, Scenario)}.values():
            if scenario.id in found and folder in found[scenario.id][1].parents:
                wrong.append(f"{path}: scenario id {scenario.id!r} is already used in {found[scenario.id][1]}")
            found[scenario.id] = (scenario, path)
    if wrong:
        raise DiscoveryError("\n".join(wrong))
    return {name: found[name][0] for name in sorted(found)}


def check_known(wanted: Collection[str], known: Collection[str]) -> None:
    """Raise DiscoveryError for every id that is not known, with the nearest that is."""
    unknown = []
    for name in sorted(set(wanted) - set(known)):
        near = difflib.get_close_matches(name, known, n=1)
        unknown.append(f'no scenario is called "{name}"' + (f"; did you mean {near[0]}?" if near else ""))
    if unknown:
        raise DiscoveryError(". ".join(unknown))


def _module(path: Path, folder: Path) -> object:
    name = ".".join([folder.absolute().name, *path.relative_to(folder).with_suffix("").parts])
    if (known := sys.modules.get(name)) is not None:
        if Path(known.__file__ or "").resolve() == path.resolve():
            return known
        name = f"{name} of {folder}"  # a project's file may be called like one that comes with Ringgate
        if name in sys.modules:
            return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
