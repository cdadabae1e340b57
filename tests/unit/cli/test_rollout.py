"""`ringgate rollout`: what each command says and how it ends. The stages and the hosts are those of the tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ringgate.cli import rollout, run
from ringgate.inventory import Inventory
from ringgate.rollout.controller import Rehearsal
from ringgate.rollout.platforms import registry
from ringgate.rollout.platforms.attempts import AttemptBook
from ringgate.rollout.platforms.hosted import HostedPlatform
from ringgate.rollout.platforms.protocol import PlatformSite
from tests.support.hosts import StubHosts
from tests.support.rehearsal import release_file
from tests.unit.rollout.test_elevations import RIGHTS
from tests.unit.rollout.test_rehearsal import Killed, Stages, _NoBackgroundLoad

ROOT = Path(__file__).parents[3]

RIGHT = """
[[elevations]]
name = "migration-user"
owner = "erp-operations"
reason = "it migrates tables"
ends = "2 h"
grant = ["./rights.sh", "grant", "migration-user"]
revoke = ["./rights.sh", "revoke", "migration-user"]
check = ["./rights.sh", "look", "migration-user"]
"""


class Kind:
    """A platform of the tests."""

    def __init__(self, folder: Path) -> None:
        self.hosts, self.inventory, self.folder = StubHosts(), Inventory.load(ROOT / "tenants"), folder

    def foreseen(self, request):
        return self.inventory, ("7.0", "8.0")

    def open(self, request, series, screen):
        book = AttemptBook(self.folder / "attempts")
        platform = HostedPlatform(self.hosts, self.inventory.tenants, book)
        return PlatformSite("tests", platform, self.inventory, ("7.0", "8.0"))


@pytest.fixture
def stages(tmp_path, monkeypatch):
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    kind, stages = Kind(tmp_path), Stages()
    monkeypatch.setattr(registry, "platform_kind", lambda name: kind)
    monkeypatch.setattr(Rehearsal, "_background_load", lambda self, ring: _NoBackgroundLoad())

    def controller(definition, site, ledger, settle, results, board=None):
        watcher = board or rollout_display(ledger)
        return Rehearsal(definition, site.inventory, site.platform, [], None, ledger, stages, watcher, lambda *_: ())

    def rollout_display(ledger):
        from ringgate.cli.common import console
        from ringgate.rollout.view import RolloutDisplay

        return RolloutDisplay(console(), ledger.record)

    monkeypatch.setattr(rollout, "_controller", controller)
    return stages


@pytest.fixture
def ringgate(stages, tmp_path, capsys):
    """Runs `ringgate rollout <words>` on the release; what it said, and how it ended."""
    (tmp_path / "definition").mkdir()
    file = release_file(tmp_path / "definition")

    def call(command: str, *words: str) -> tuple[int, str]:
        more = ["--out", str(tmp_path / "page.html")] if command in ("start", "roll-back") else []
        code = run(["rollout", command, str(file), *words, "--platform", "hosts=tests", *more])
        told = capsys.readouterr()
        return code, told.out + told.err

    return call


def test_a_plan_says_who_comes_when_and_what_stands_against_it(ringgate):
    code, told = ringgate("plan")
    assert code == 1
    assert "canary: 1 tenant, 2 at once, 0 may fail" in told
    assert told.count("there is no backup of it") == 4
    code, told = ringgate("plan", "--json")
    assert [each["ring"] for each in json.loads(told)] == ["canary", "early", "broad"]


@pytest.mark.parametrize("command", [("status",), ("pause", "why"), ("resume",), ("roll-back", "why"), ("revoke",)])
def test_without_a_rollout_there_is_nothing_to_do(ringgate, command):
    code, told = ringgate(*command)
    assert code == 3
    assert "ringgate: " in told


def test_a_rollout_is_killed_paused_resumed_ended_and_taken_back(ringgate, stages):
    stages.say["baseline", "cologne"] = Killed()
    with pytest.raises(Killed):
        ringgate("start")
    code, told = ringgate("status")
    assert (code, "canary: promote" in told, "early: under way" in told) == (2, True, True)

    assert ringgate("pause", "the payroll run is late", "--by", "qa")[0] == 0
    code, told = ringgate("start")
    assert code == 2
    assert "The rollout waits: paused by qa at " in told
    assert "the payroll run is late" in ringgate("status")[1]
    assert ("upgrade", "cologne") not in stages.done

    assert ringgate("resume")[0] == 0
    assert ringgate("start")[0] == 0
    assert ringgate("status")[0] == 0
    assert [whom for stage, whom in stages.done if stage == "upgrade"].count("cologne") == 1

    code, told = ringgate("roll-back", "the auditors say no", "--by", "qa")
    assert (code, "was rolled back. qa had it rolled back: the auditors say no" in told) == (0, True)
    assert {whom for stage, whom in stages.done if stage == "rollback"} == {"aldgate", "bleecker", "cologne", "kyoto"}
    assert ringgate("status")[0] == 1


def test_a_right_that_is_still_there_is_no_clean_end_and_is_taken_back_by_hand(ringgate, tmp_path):
    folder = tmp_path / "definition"
    (folder / "rights.sh").write_text(RIGHTS)
    (folder / "rights.sh").chmod(0o755)
    file = next(each for each in folder.glob("*.toml") if "[components" in each.read_text(encoding="utf-8"))
    file.write_text(file.read_text(encoding="utf-8") + RIGHT, encoding="utf-8")
    (folder / "lies-migration-user").touch()
    code, told = ringgate("start")
    assert (code, "migration-user was taken back, and its check says that it is still granted" in told) == (2, True)
    code, told = ringgate("revoke")
    assert (code, "erp-operations must take it back" in told) == (2, True)
    (folder / "lies-migration-user").unlink()
    assert ringgate("revoke") == (0, "taken back: migration-user\n")
    assert ringgate("revoke") == (0, "No right is granted.\n")
