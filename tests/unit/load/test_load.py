"""`ringgate load` whole, against a server that answers from memory: users, arrivals, harm, stopping, refusals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ringgate import cli
from ringgate.host.run_locks import RunLocks
from ringgate.inventory import Inventory
from ringgate.load.outcome import LoadOutcome
from tests.evaluation.bench.scale import HERE, write_inventory

SHORT = ["--ramp", "1s", "--hold", "1s", "--think", "0.05", "--scenario", "new-project", "--scenario", "identity"]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    command = [sys.executable, "-m", "tests.evaluation.bench.stub", "5"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    assert server.stdin
    yield int(server.stdout.readline())
    server.stdin.close()
    server.wait()


@pytest.fixture
def project(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("RINGGATE_RESULTS", "RINGGATE_INVENTORY", "RINGGATE_SHARED", "RINGGATE_RESIDENCY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("RINGGATE_BENCH_SECRET", "x" * 12)
    monkeypatch.chdir(tmp_path)
    write_inventory(tmp_path / "tenants", 2, port, more="load_users = 4\n")
    (tmp_path / "scenarios").symlink_to(HERE / "scenarios")
    return tmp_path


def left(port: int) -> list[int]:
    call = {"id": 1, "method": "stub.projects", "params": []}
    found: list[int] = httpx.post(f"http://127.0.0.1:{port}/", json=call).json()["result"]
    return found


def test_users_run_side_by_side_and_everything_is_taken_back(
    project: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["load", *SHORT, "--users", "6", "--save", "one.json", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["left"], told["went_wrong"], told["stopped"]) == ([], {}, "")
    assert [each["load"] for each in told["stages"]] == ["2 users", "3 users", "4 users", "5 users", "6 users"]
    kept = LoadOutcome.load(Path("one.json"))
    assert {run.scenario for run in kept.runs} == {"new-project", "identity"}
    assert {run.tenant for run in kept.runs} == {"tenant-0000", "tenant-0001"}
    beside = [(run.at, run.at + run.taken) for run in kept.held() if run.scenario == "new-project"]
    assert any(one[0] < other[0] < one[1] for one in beside for other in beside), "two of one process on one tenant"
    assert left(port) == []
    assert not list((project / "state").rglob("*.sqlite")), "nothing of a load is in the store of results"


def test_arrivals_come_whoever_is_busy(project: Path, port: int) -> None:
    assert cli.run(["load", *SHORT, "--users", "4", "--arrivals", "20", "--save", "one.json"]) == 0
    kept = LoadOutcome.load(Path("one.json"))
    assert 15 < len(kept.runs) < 55
    assert left(port) == []
    assert cli.run(["load", *SHORT, "--users", "1", "--arrivals", "60", "--save", "one.json"]) == 0
    kept = LoadOutcome.load(Path("one.json"))
    assert kept.late
    assert max(run.waited for run in kept.runs) > 0.5


def test_it_compares_with_before_and_only_like_with_like(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["load", *SHORT, "--users", "4", "--save", "one.json"]) == 0
    one = LoadOutcome.load(Path("one.json"))
    slower = {"runs": tuple(type(run)(**{**_of(run), "seconds": run.seconds * 3}) for run in one.runs)}
    LoadOutcome(**{**_of(one), **slower}).save(Path("two.json"))
    arguments = ["load", "--scenario", "identity", "--before", "one.json", "--after", "two.json"]
    assert cli.run(arguments) == 1
    assert "slower" in capsys.readouterr().out
    assert cli.run([*arguments[:-2], "--after", "one.json"]) == 0
    LoadOutcome(**{**_of(one), "tenants": ("other",)}).save(Path("two.json"))
    assert cli.run(arguments) == 2
    assert "the tenants are not the same" in capsys.readouterr().err


def _of(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__slots__}  # type: ignore[attr-defined]


def test_a_server_that_is_gone_stops_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in (project / "tenants").glob("tenant-*.toml"):
        file.write_text(file.read_text().replace("http://127.0.0.1:", "http://127.0.0.1:9/"))
    assert cli.run(["load", *SHORT[:2], "--hold", "60s", *SHORT[4:], "--users", "4", "--retries", "0"]) == 1
    said = capsys.readouterr().out
    assert "of the last 20 runs went wrong" in said
    assert "unavailable" in said


def test_told_to_stop_it_takes_back_what_runs_and_ends_with_2(project: Path, port: int) -> None:
    command = [
        sys.executable,
        "-m",
        "ringgate.cli",
        "load",
        *SHORT[:2],
        "--hold",
        "60s",
        *SHORT[4:],
        "--save",
        "x.json",
    ]
    process = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for _ in range(600):
        if left(port):
            break
        threading.Event().wait(0.05)
    process.send_signal(signal.SIGTERM)
    said, error = process.communicate(timeout=60)
    assert process.returncode == 2, error
    assert "it was told to" in said
    assert left(port) == []
    assert LoadOutcome.load(project / "x.json").stopped == "it was told to"


def test_signals_are_read_and_what_cannot_be_read_is_told(
    project: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("signals.toml").write_text(
        '[[sources]]\nname = "gone"\nkind = "http-json"\naddress = "http://127.0.0.1:9/"\npath = "$.x"\n'
        'resource = "disk"\n'
    )
    assert cli.run(["load", *SHORT, "--signals", "signals.toml", "--read-every", "1"]) == 0
    said = capsys.readouterr().out
    assert "not read: gone:" in said
    assert "bottleneck: none found" in said


@pytest.mark.parametrize(
    ("more", "arguments", "words"),
    [
        ("", [], "tenant-0001: its inventory allows no load (load_users), so it is taken for production"),
        ("load_users = 1\n", [], "tenant-0000: up to 2 users at once, and its inventory allows 1 (load_users)"),
        ("load_users = 4\n", ["--arrivals", "1", "--users", "5"], "up to 5 users at once"),
        ("load_users = 4\n", ["--hold", "5h"], "at most 4 h"),
        ("load_users = 4\n", ["--ramp", "soon"], "--ramp must be a time with its unit"),
        ("load_users = 4\n", ["--scenario", "nothing"], 'no scenario is called "nothing"'),
        ("load_users = 4\n", ["--scenario", "invoicing-from-time"], "invoicing-from-time is not run there"),
        ("load_users = 4\n", ["--after", "x.json"], "--after needs --before"),
        ("load_users = 4\n", ["--before", "x.json"], "x.json: No such file"),
        ("load_users = -1\n", [], "load_users"),
    ],
)
def test_what_must_not_be_loaded_is_refused_before_anything_runs(
    project: Path, port: int, capsys: pytest.CaptureFixture[str], more: str, arguments: list[str], words: str
) -> None:
    for file in (project / "tenants").iterdir():
        file.unlink()
    (project / "tenants").rmdir()
    write_inventory(project / "tenants", 2, port, more=more + 'lacks = ["invoicing"]\n')
    assert cli.run(["load", *SHORT, *arguments]) == 3
    assert words in capsys.readouterr().err


def test_nothing_else_runs_the_same_meanwhile(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringgate.load.setup.PATIENCE", 0.1)
    tenant = Inventory.load(project / "tenants").tenants[1]
    with RunLocks(project / "state" / "locks").room(tenant, "identity"):
        assert cli.run(["load", *SHORT]) == 2
