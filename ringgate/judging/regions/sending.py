"""In a region: writes what leaves it, one segment after the other, into a folder that is carried on.

    eu-west-000001.jsonl, eu-west-000002.jsonl, ...

The folder itself says how far it goes. How the files get to where all are judged is the firm's own business: any copy
of whole files does, in any order, and one that was cut off is noticed there.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from ringgate.domain.model import Deployment, RunResult, Scenario, SignalSample
from ringgate.host.atomic_files import write_atomically
from ringgate.inventory import Inventory
from ringgate.judging.regions.wire import Segment, SegmentError, Words, decoded, encoded
from ringgate.store import LATE, Store

LONGEST = timedelta(minutes=10)
"""A segment holds no more runs than were recorded in this time, so that neither side holds more of them at once."""

OF_THE_ENGINE = frozenset({"read all that was made", "compare with runs before"})
"""Steps that stand in no scenario's file."""


def file_name(region: str, number: int) -> str:
    return f"{region}-{number:06d}.jsonl"


def segments_in(folder: Path, region: str = "[a-z0-9][a-z0-9-]*?") -> Iterator[tuple[str, int, Path]]:
    """The region, number and path of each segment's file, by region and number. Other files are passed over."""
    form = re.compile(rf"({region})-(\d{{6,}})\.jsonl")
    found = ((form.fullmatch(path.name), path) for path in folder.iterdir()) if folder.is_dir() else ()
    yield from sorted((match[1], int(match[2]), path) for match, path in found if match)


def step_words(scenarios: Mapping[str, Scenario]) -> Words:
    """What each scenario's file says in so many words: a step of such a name holds nothing of a tenant's."""
    words = {}
    for name, scenario in scenarios.items():
        try:
            tree = ast.parse(inspect.getsource(inspect.getmodule(scenario.function) or scenario.function))
        except (OSError, TypeError, SyntaxError):  # then none of its steps is called by its name
            words[name] = OF_THE_ENGINE
            continue
        constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        words[name] = OF_THE_ENGINE | {each for each in constants if isinstance(each, str)}
    return words


def send_segments(
    store: Store, folder: Path, region: str, inventory: Inventory, words: Words, now: datetime, since: timedelta
) -> list[Path]:
    """Writes what the region recorded since the last segment, up to a minute ago: what is younger may not be visible
    yet. The first one reaches `since` back. Returns the new files, none where there is nothing older than a minute.

    Raises SegmentError where the last file is none, StoreError, OSError."""
    last = max(segments_in(folder, re.escape(region)), default=None)
    number, begin = 1, now - since
    if last is not None:
        number, begin = last[1] + 1, decoded(last[2].read_text(encoding="utf-8"), last[2].name).until
    made, until = [], now - LATE
    if begin > now:
        raise SegmentError(
            f"{folder}: the last segment of {region} ends at {begin:%Y-%m-%d %H:%M:%S}, which is to come"
        )
    tenants = frozenset(tenant.id for tenant in inventory.tenants if tenant.region == region)
    while begin < until:
        end, runs = begin, list[RunResult]()
        while end < until and not runs:
            start, end = end, min(until, end + LONGEST)
            runs = [run for at, run in store.recorded(start, end) if at >= start and run.tenant in tenants]
        path = folder / file_name(region, number)
        segment = Segment(region, number, begin, end, _once(runs))
        write_atomically(path, encoded(_with_notes(segment, store, inventory), words))
        made.append(path)
        number, begin = number + 1, end
    return made


def _with_notes(segment: Segment, store: Store, inventory: Inventory) -> Segment:
    """The same with what happened around the runs."""
    rings = {tenant.id: tenant.ring for tenant in inventory.tenants if tenant.region == segment.region}
    samples = (each for each in store.samples(since=segment.since) if each.at < segment.until and _is_of(each, rings))
    return replace(
        segment,
        deployments=tuple(_deployments(store.deployments(), segment.region, rings)),
        samples=tuple(samples),
        probers=tuple(replace(each, detail=None) for each in store.probers()),
    )


def _once(runs: Iterable[RunResult]) -> tuple[RunResult, ...]:
    return tuple({run.run_id: run for run in runs}.values())


def _is_of(sample: SignalSample, rings: Mapping[str, str]) -> bool:
    """A name that is not in the inventory came from a database, and stays."""
    return sample.tenant in ("", *rings) and sample.ring in ("", *rings.values())


def _deployments(deployments: Iterable[Deployment], region: str, rings: Mapping[str, str]) -> Iterator[Deployment]:
    """Each by the region's tenants that it reached: a whole ring here is a part of it elsewhere."""
    for each in deployments:
        theirs = tuple(tenant for tenant, ring in rings.items() if ring == each.ring)
        reached = tuple(tenant for tenant in each.tenants if tenant in rings) if each.tenants else theirs
        if reached:
            yield replace(each, id=f"{region}/{each.id}", tenants=reached, note="", by="")
