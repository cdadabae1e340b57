"""`ringgate probe` on the real ERP: it passes, it stops, it is killed and comes back, two of it go on side by side."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from ringgate.domain.terms import Channel, Outcome, Source
from ringgate.inventory import Inventory
from ringgate.store import Store
from tests.support.estate import Leased

PROBE = [sys.executable, "-m", "ringgate.cli", "probe"]
SHORT = ("sign-in", "time-entry", "procurement-approval", "project-to-cash")


@pytest.fixture
def pair(lease: Callable[..., Leased]) -> tuple[Leased, Leased]:
    """Two tenants that nobody else uses."""
    return lease("GBP"), lease("USD")


@pytest.fixture
def inventory_of(tmp_path: Path, pair: tuple[Leased, Leased]) -> Callable[[str], Path]:
    """An inventory of these two alone, with these keys under [probes] and no windows in which they are left alone."""

    def make(probes: str) -> Path:
        folder = tmp_path / "tenants"
        shutil.copytree(Path(pair[0].inventory), folder, dirs_exist_ok=True)
        for file in folder.glob("*.toml"):
            if file.stem not in ("defaults", *(each.id for each in pair)):
                file.unlink()
        for each in pair:
            file = folder / f"{each.id}.toml"
            file.write_text(_without_probes(file.read_text()) + f"\n[probes]\n{probes}\n")
        return folder

    return make


def _without_probes(text: str) -> str:
    """The tenant's file without its tables of probes."""
    kept, inside = [], False
    for line in text.splitlines():
        inside = line.startswith("[probes") if line.startswith("[") else inside
        kept += [] if inside else [line]
    return "\n".join(kept)


def only(*scenarios: str) -> list[str]:
    return [part for name in scenarios for part in ("--scenario", name)]


@pytest.fixture
def results(environment: dict[str, str]) -> Iterator[Store]:
    store = Store(f"sqlite:///{environment['RINGGATE_STATE']}/results.sqlite")
    yield store
    store.close()


@contextmanager
def probing(environment: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A prober in a process of its own, which does not outlive the block."""
    running = subprocess.Popen(
        [*PROBE, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield running
    finally:
        running.kill()
        running.wait()
        assert running.stdout
        running.stdout.close()


def until_writing(environment: dict[str, str], running: subprocess.Popen[str], writes: int = 2) -> None:
    """Waits until a run of this prober has written something that must be undone."""
    folder = Path(environment["RINGGATE_STATE"]) / "journal"
    while running.poll() is None:
        for path in folder.glob("*.jsonl"):
            try:
                if path.read_text().count('"verb"') >= writes:
                    return
            except FileNotFoundError:  # its run has ended meanwhile
                continue
        threading.Event().wait(0.01)
    raise AssertionError(f"it ended before it wrote anything: {running.communicate()[0]}")


def left_over(environment: dict[str, str]) -> list[str]:
    state = Path(environment["RINGGATE_STATE"])
    return [path.name for room in ("journal", "spool") for path in (state / room).glob("*")]


def test_everything_once_passes_and_leaves_the_books_as_they_were(pair, inventory_of, environment, results, books_of):
    before = [books_of(each.tenant) for each in pair]
    folder = inventory_of('api = "5 min"\nbrowser = "off"')
    done = subprocess.run(
        [*PROBE, "--once", "--inventory", str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kept = results.results()
    assert {each.outcome for each in kept} == {Outcome.PASSED}
    assert {each.tenant for each in kept} == {each.id for each in pair}
    assert {each.source for each in kept} == {Source.PROBE}
    assert len(kept) == len({(each.tenant, each.scenario) for each in kept}) >= 20
    assert [books_of(each.tenant) for each in pair] == before
    assert left_over(environment) == []


def test_over_the_browser_too(pair, inventory_of, environment, results, books_of):
    before = [books_of(each.tenant) for each in pair]
    folder = inventory_of('api = "off"')
    arguments = ["--once", "--inventory", str(folder), *only("sign-in", "time-entry"), "--browsers", "2"]
    done = subprocess.run([*PROBE, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = {(each.tenant, each.scenario, each.channel): each.outcome for each in results.results()}
    assert set(kept.values()) == {Outcome.PASSED}
    assert {channel for _, _, channel in kept} == {Channel.BROWSER}
    assert len(kept) == 4
    assert [books_of(each.tenant) for each in pair] == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_told_to_stop_it_finishes_or_undoes_what_runs(pair, inventory_of, environment, results, books_of, number):
    before = [books_of(each.tenant) for each in pair]
    folder = inventory_of('api = "2 s"\nbrowser = "off"')
    arguments = ["--inventory", str(folder), *only(*SHORT), "--grace", "120"]
    with probing(environment, *arguments) as running:
        until_writing(environment, running)
        running.send_signal(number)
        said, _ = running.communicate(timeout=200)
    assert running.returncode == (0 if number == signal.SIGTERM else 130), said
    assert left_over(environment) == []
    assert [books_of(each.tenant) for each in pair] == before
    kinds = {each.failure.kind for each in results.results() if each.failure}
    assert kinds <= {"stopped"}, said
    (sign,) = results.probers()
    assert sign.stopped_at is not None


def test_killed_it_comes_back_and_takes_back_what_it_left(pair, inventory_of, environment, results, books_of):
    before = [books_of(each.tenant) for each in pair]
    folder = inventory_of('api = "2 s"\nbrowser = "off"')
    with probing(environment, "--inventory", str(folder), *only(*SHORT)) as running:
        until_writing(environment, running, writes=3)
        running.kill()
    (spool,) = (Path(environment["RINGGATE_STATE"]) / "spool").glob("*.jsonl")
    begun = {json.loads(line)["began"]["run_id"] for line in spool.read_text().splitlines() if '"began"' in line}
    assert begun
    arguments = ["--once", "--inventory", str(folder), *only("time-entry")]
    done = subprocess.run([*PROBE, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    recovered = subprocess.run(
        [sys.executable, "-m", "ringgate.cli", "recover", "--inventory", str(folder)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert recovered.returncode == 0, recovered.stdout  # a write that was on its way is waited for here
    assert [books_of(each.tenant) for each in pair] == before
    ids = [each.run_id for each in results.results()]
    assert len(ids) == len(set(ids))
    assert begun <= set(ids), "of every run that began there is one result"
    assert "killed" in {each.failure.kind for each in results.results() if each.failure}
    assert left_over(environment) == []


def test_two_probers_at_once_get_along(pair, inventory_of, environment, results, books_of):
    before = [books_of(each.tenant) for each in pair]
    folder = inventory_of('api = "3 s"\nbrowser = "off"')
    arguments = ["--inventory", str(folder), *only("sign-in", "time-entry", "project-creation"), "--for", "20 s"]
    with probing(environment, *arguments) as first, probing(environment, *arguments) as second:
        said = [each.communicate(timeout=200)[0] for each in (first, second)]
    codes = [first.returncode, second.returncode]
    assert 0 in codes, said
    for code, told in zip(codes, said, strict=True):
        # The one that is second to every tick runs nothing, which is no good news, and says why.
        assert code == 0 or (code == 2 and re.search(r"nothing was run, \d+ overlapping", told)), said
    kept = results.results()
    assert {each.outcome for each in kept} == {Outcome.PASSED}
    assert len({each.session for each in kept}) == codes.count(0)
    spans = sorted((each.tenant, each.scenario, each.started_at.timestamp(), each.seconds) for each in kept)
    for (tenant, scenario, began, seconds), (other, another, later, _) in pairwise(spans):
        assert (tenant, scenario) != (other, another) or began + seconds <= later, "two runs of one scenario overlap"
    assert [books_of(each.tenant) for each in pair] == before
    assert left_over(environment) == []


def test_what_probes_leave_in_the_books_can_be_told_from_the_firms_own(
    pair, inventory_of, environment, estate, results
):
    """Posted documents stay, reversed: each leads to its run's marker, is the synthetic customer's, and nets to nil."""
    folder = inventory_of('api = "5 min"\nbrowser = "off"')
    customer = Inventory.load(folder).tenant(pair[0].id).policy.customer
    documents = """
        SELECT m.id, a.code, l.debit - l.credit, p.name, concat(m.description, i.description, o.description)
        FROM account_move m JOIN account_move_line l ON l.move = m.id JOIN account_account a ON a.id = l.account
        LEFT JOIN party_party p ON p.id = l.party
        LEFT JOIN account_invoice i ON m.origin = 'account.invoice,' || i.id
        LEFT JOIN account_move c ON m.origin = 'account.move,' || c.id
        LEFT JOIN account_invoice o ON c.origin = 'account.invoice,' || o.id
        WHERE m.state = 'posted' AND m.id > %s
    """
    with estate.sql(pair[0].id) as database:
        (last,) = database.execute("SELECT max(id) FROM account_move").fetchone()
        arguments = ["--once", "--inventory", str(folder), "--tenant", pair[0].id, *only("project-to-cash")]
        done = subprocess.run([*PROBE, *arguments], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        (run,) = results.results()
        lines = database.execute(documents, [last]).fetchall()
    assert len({move for move, *_ in lines}) == 4  # the invoice, its payment, and what reverses each
    assert [line for line in lines if f"RG-{run.run_id}" not in line[4]] == []
    assert {party for *_, party, _ in lines if party} == {customer}
    balances = Counter()
    for _, account, amount, _, _ in lines:
        balances[account] += amount
    assert set(balances.values()) == {0}
