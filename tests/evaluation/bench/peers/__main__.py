"""Project to cash by several tools, side by side: the same requests, against the same server, in interleaved rounds.

    make bench-peers
    tool              wall     CPU     own  start-up  requests  lines
    bare httpx        4.89    0.52    0.61      0.35        63    131
    Ringgate          5.61    1.10    ...

Each tool starts anew, signs in four people, does project, time, invoice, posting, payment and the checks of invoice
and ledger, and takes all of it back; its requests are counted before the ERP, and must be the same as the script's.
Medians over the rounds, in seconds. `own` is wall time without waiting for the ERP, `start-up` what goes by before the
first request; `CPU` and `own` of one more run in the same process come from starts with more runs than one. Lines are
those that a person writes. What the tools need is installed by this command alone, each in an environment of its own.

With `--channel browser`: one user signs in through the web client, sees who it is, and signs out, by a script with
Playwright alone, Ringgate and Elastic's Synthetics, in one Chromium. Requests are counted and not compared: how often a
web client asks for what is new is its own business. Ringgate's are some more: it also asks which version was tested.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from pathlib import Path

from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.chromium import find_browser
from ringgate.drivers.protocol import Call
from ringgate.estate import Estate
from ringgate.estate.tools import Tools
from ringgate.execution import setup
from ringgate.inventory import Inventory
from tests.evaluation.bench.peers.counter import Counter
from tests.evaluation.bench.peers.measuring import Measured, ToolFailed, measured
from tests.evaluation.bench.peers.tools import API, BROWSER, SCRIPT, PeerTool

ROLES = (Role.PROJECT_MANAGER, Role.CONSULTANT, Role.ACCOUNTANT, Role.AUDITOR)
VERSION = "common.server.version"
"""How often a tool asks which version it speaks to is its own business."""

Starts = dict[str, list[Measured]]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.bench.peers",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--estate", default="demo", help="whose first tenant is used (default: demo)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=4, help="in the longer start of each tool (default: 4)")
    parser.add_argument("--channel", choices=["api", "browser"], default="api")
    options = parser.parse_args()
    tools = BROWSER if options.channel == "browser" else API
    tenant = Inventory.load(Estate.at(options.estate).inventory_path).tenants[0]
    before = _books(tenant) if tools is API else None
    try:
        once, more = _rounds(tools, tenant, options.rounds, options.runs)
    except ToolFailed as failed:
        sys.exit(str(failed))
    held = told(tools, once, more, options.runs)
    if before is not None:
        if (after := _books(tenant)) != before:
            sys.exit(f"the books are not what they were before:\n{before}\n{after}")
        print("The books are what they were before.")
    sys.exit(0 if held else 1)


def _rounds(tools: Sequence[PeerTool], tenant: Tenant, rounds: int, runs: int) -> tuple[Starts, Starts]:
    """What each start with one run, and with `runs`, took. The first round of each is not counted."""
    programs = {tool.name: tool.install(Tools()) for tool in tools}
    origin = tenant.api.rpartition("/")[0]
    found: dict[int, Starts] = {number: {tool.name: [] for tool in tools} for number in (1, runs)}
    with tempfile.TemporaryDirectory(prefix="ringgate-peers-") as place, Counter(origin) as counter:
        erp = tenant.api.replace(origin, counter.origin)
        web_origin = tenant.web.partition("/#")[0]
        values = {"ERP": erp, "WEB": tenant.web.replace(web_origin, counter.origin), "COMPANY": tenant.name}
        env = {**_environment(tenant, erp, Path(place)), **({} if tools is API else _on_screen(values))}
        folders = {(tool.name, number): tool.lay_out(Path(place), number, values) for tool in tools for number in found}
        for tool in (each for each in tools if each.node):
            for number in found:
                (folders[tool.name, number] / "node_modules").symlink_to(programs[tool.name].parent)
        for turn in range(rounds + 1):
            turned = [*tools[turn % len(tools) :], *tools[: turn % len(tools)]]
            for number, tool in ((number, tool) for number in found for tool in turned):
                command = tool.command(programs[tool.name], number)
                start = measured(command, folders[tool.name, number], {**env, "RUNS": str(number)}, counter)
                found[number][tool.name].append(start)
                print(
                    f"{'warm-up' if turn == 0 else f'round {turn}'}  {tool.name:16} {number} run(s): "
                    f"wall {start.wall:6.2f}  CPU {start.cpu:5.2f}  own {start.own:5.2f}  {start.requests} requests",
                    flush=True,
                )
            if tools is API:
                same(tools, {tool.name: found[1][tool.name][-1] for tool in tools})
    once, more = found[1], found[runs]
    for starts in (*once.values(), *more.values()):
        del starts[0]
    return once, more


def _environment(tenant: Tenant, erp: str, place: Path) -> dict[str, str]:
    """What each tool is given. Python keeps what it compiles, as for anybody."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")}
    passwords = {f"PASSWORD_{role.value.upper()}": tenant.users[role].password.reveal() for role in ROLES}
    return {**env, **passwords, "ERP": f"{erp}/", "RINGGATE_STATE": str(place / "state")}


def _on_screen(values: Mapping[str, str]) -> dict[str, str]:
    """What scripts expect on the screen, and the browser that all use."""
    browser = str(find_browser())
    names = {"NAME": "Synthetic Consultant", "COMPANY": values["COMPANY"], "WEB": values["WEB"]}
    return {**names, "BROWSER": browser, "RINGGATE_BROWSER": browser}


def same(tools: Sequence[PeerTool], starts: Mapping[str, Measured]) -> None:
    """Raises ToolFailed where a tool asked for something else than the script."""
    expected = _business(starts[SCRIPT.name])
    for tool in tools:
        found = _business(starts[tool.name])
        if found != expected:
            raise ToolFailed(f"{tool.name} asked for {dict(found - expected)} more, {dict(expected - found)} less.")


def _business(start: Measured) -> Tally[str]:
    return Tally({name: times for name, times in start.asked.requests.items() if name != VERSION})


def told(tools: Sequence[PeerTool], once: Starts, more: Starts, runs: int) -> bool:
    """Prints the table; whether Ringgate is the first of the tools in all of it."""
    figures = {tool.name: _figures(once[tool.name], more[tool.name], runs) for tool in tools}
    print(f"\n{'tool':16}{'wall':>7}{'CPU':>7}{'own':>7}{'start-up':>10}{'CPU a run':>11}{'own a run':>11}"
          f"{'requests':>10}{'lines':>7}")  # fmt: skip
    for tool in tools:
        wall, cpu, own, before, cpu_each, own_each = figures[tool.name]
        print(f"{tool.name:16}{wall:7.2f}{cpu:7.2f}{own:7.2f}{before:10.2f}{cpu_each:11.3f}{own_each:11.3f}"
              f"{once[tool.name][-1].requests:10}{tool.lines():7}")  # fmt: skip
    behind = [
        f"{what} ({other.name} {figures[other.name][index]:.2f}, Ringgate {figures['Ringgate'][index]:.2f})"
        for index, what in enumerate(("wall", "CPU", "own"))
        for other in tools
        if other not in (tools[0], tools[1]) and figures[other.name][index] < figures["Ringgate"][index]
    ]
    print("Ringgate is the first of the tools." if not behind else f"Ringgate is not first: {'; '.join(behind)}.")
    return not behind


def _figures(once: Sequence[Measured], more: Sequence[Measured], runs: int) -> tuple[float, ...]:
    wall, cpu, own, before = (
        statistics.median(getattr(start, name) for start in once) for name in ("wall", "cpu", "own", "before")
    )
    cpu_each, own_each = (
        (statistics.median(getattr(start, name) for start in more) - first) / (runs - 1)
        for name, first in (("cpu", cpu), ("own", own))
    )
    return wall, cpu, own, before, cpu_each, own_each


def _books(tenant: Tenant) -> tuple[dict[str, str], frozenset[str]]:
    """Its trial balance and open documents."""
    with setup.engine([tenant], session="bench") as engine:
        connection = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call("books", "0" * 32))
        try:
            books = connection.books()
            return {account: str(amount) for account, amount in books.trial_balance().items()}, books.open_documents()
        finally:
            connection.close()


if __name__ == "__main__":
    main()
