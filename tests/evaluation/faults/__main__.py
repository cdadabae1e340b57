"""`make faults`: the whole catalogue of faults against the scenarios and the gate, after clean rounds without an alarm.

fault                     in how many runs           the gate says      attribution                           by
wrong-tax                 caught in   8 runs,  1 rounds  hold         configuration                           ...
faults: 72; caught 72 (100%, at least 95%); attribution right 70 (97%, at least 90%); traces left by 0

Exits 1 if fewer are caught, more are attributed wrongly, a clean round alarmed, or a fault left a trace. It can be cut
off: `--from FAULT` goes on there, with what was found before; the table lies in reports/out/faults.md, and as JSON.
`--name` takes an estate of another name, with a table and a baseline of its own; `--beside N` keeps N processors busy.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from ringgate.estate.tryton.faults import FAULTS
from ringgate.host import paths
from tests.evaluation.busy.load import load
from tests.evaluation.faults.rounds import ESTATE, TENANTS, Bench, Clock, a_day_ago, after
from tests.evaluation.faults.table import Clean, Results, line
from tests.evaluation.faults.trials import LEARNING, STOPS, clean, learn, try_out

ROUNDS = 100


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    chosen = _chosen(options)
    folder, out = paths.state() / "fault-trials", paths.reports()
    if options.name != ESTATE:
        folder, out = folder.with_name(f"fault-trials-{options.name}"), out / f"faults-{options.name}"
    with load(options.beside) if options.beside else nullcontext():
        return _tried(options, chosen, folder, out)


def _tried(options: argparse.Namespace, chosen: Sequence[str], folder: Path, out: Path) -> int:
    bench = Bench(folder, options.name, options.tenants)
    baseline, known = folder / "baseline.sqlite", Results.read(out / "faults.json")
    going_on = bool(options.start or options.only) and baseline.is_file()
    results = known if going_on else Results()
    began = time.monotonic()
    if not going_on:
        for each in folder.glob("baseline.sqlite*"):
            each.unlink()
        results.clean = _clean(bench, baseline, options.clean)
        results.write(out, list(FAULTS))
    for name in chosen:
        trial = try_out(bench, FAULTS[name], baseline, Clock(after(baseline)))
        results.trials[name] = trial
        results.write(out, list(FAULTS))
        print(line(trial), flush=True)
    print("", *results.summary(), f"{time.monotonic() - began:.0f} s; {out / 'faults.md'}", sep="\n")
    bench.estate.down()
    return 0 if results.good else 1


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.evaluation.faults", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--from", dest="start", metavar="FAULT", help="go on with this one, after what is known")
    parser.add_argument("--only", metavar="FAULT,...", help="these alone; what is known of others is kept")
    parser.add_argument("--clean", type=int, default=ROUNDS, metavar="N", help=f"clean rounds (default {ROUNDS})")
    parser.add_argument("--name", default=ESTATE, metavar="NAME", help=f"the estate (default {ESTATE})")
    parser.add_argument("--tenants", type=int, default=TENANTS, metavar="N", help=f"its tenants (default {TENANTS})")
    parser.add_argument("--beside", type=int, default=0, metavar="N", help="beside so many processes that burn CPU")
    options = parser.parse_args(arguments)
    unknown = [name for name in _named(options) if name not in FAULTS]
    if unknown:
        parser.error(f"there is no fault {', '.join(unknown)}: `ringgate estate fault list` shows all")
    return options


def _named(options: argparse.Namespace) -> list[str]:
    return [name for given in (options.start, options.only) if given for name in given.split(",")]


def _chosen(options: argparse.Namespace) -> list[str]:
    names = list(FAULTS)
    if options.only:
        return [name for name in names if name in options.only.split(",")]
    return names[names.index(options.start) :] if options.start else names


def _clean(bench: Bench, baseline: Path, rounds: int) -> Clean:
    """Rounds on an ERP that nothing is wrong with."""
    found, seen, clock = Clean(), "", Clock(a_day_ago())
    print(f"{LEARNING} rounds to learn what is usual, then {rounds} of a release that changes nothing", flush=True)
    learn(bench, baseline, clock)
    for verdict in clean(bench, baseline, clock, rounds):
        found.rounds += 1
        found.runs, found.verdict = verdict.samples.runs, verdict.state.value
        if verdict.state in STOPS:
            found.alarms.append(f"round {found.rounds}: {verdict.reasons[0].sentence}")
        failed = [f"{each.group.signature}: {each.group.failure.message}" for each in verdict.attributions]
        found.failed = failed
        if (now := f"{verdict.state.value} {len(failed)}") != seen or found.rounds % 10 == 0:
            print(f"clean round {found.rounds}: {verdict.state.value}, {found.runs} runs", *failed[:3], flush=True)
            seen = now
    return found


if __name__ == "__main__":
    sys.exit(main())
