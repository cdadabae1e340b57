"""The page of a rehearsal shows what each stage came to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ringgate.inventory import Inventory
from ringgate.rollout.record import FORM, RehearsalRecord, RingRecord, StageRecord, TenantRecord
from ringgate.rollout.release import Release, load_release
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.report import conclusion, write_report
from ringgate.rollout.results import (
    BackupAge,
    BaselineResult,
    BooksDifference,
    DrillResult,
    FingerprintResult,
    LostRow,
    NeighboursResult,
    RollbackResult,
    SecondLook,
    StageResult,
    UpgradeResult,
    VerificationResult,
)  # fmt: skip
from tests.support.rehearsal import release_file

ROOT = Path(__file__).parents[3]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
RESULTS: dict[str, StageResult] = {
    "baseline": BaselineResult(
        {"passed": 8}, 4, {"documents": 39}, BackupAge("20261124T0800-7.0", 5400.0, 900.0),
        [SecondLook("sign-in over the API", "it did not answer in time", "passed")],
    ),
    "drill": DrillResult("20261124T1200-7.0", 1_359_518, 1.5, 17.4, 300.0, []),
    "upgrade": UpgradeResult({"close": 1.0, "migration": 41.5}, "20261124T1201-7.0"),
    "fingerprint": FingerprintResult(
        {"documents": 39}, [BooksDifference("tax:rate:VAT", "VAT is now 19 %", "taxes → VAT", "20", "19")],
        [BooksDifference("sequence:next:x", "numbers restart", "sequences", "9", "1", "the waiver of finance")],
    ),
    "verification": VerificationResult(
        {"process": {"passed": 7, "failed": 1}}, 4, {},
        [SecondLook("time-entry over the browser", "a screen did not come", "a screen did not come")], beside=2,
    ),
    "rollback": RollbackResult(
        [LostRow("invoice", "37", "Acme Ltd", "1,080.00 GBP", "posted", "it is not in the backup", again=True),
         LostRow("time", "ours", "", "1 h", "", "a run of Ringgate", again=False)],
    ),
}  # fmt: skip


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return load_release(release_file(tmp_path), Inventory.load(ROOT / "tenants"))


def record() -> RehearsalRecord:
    stages = {
        name: StageRecord(began=NOON, outcome="failed" if name == "fingerprint" else "passed", seconds=2.0, result=each)
        for name, each in RESULTS.items()
    }
    load = NeighboursResult(["kyoto"], {"passed": 12}, 3.5)
    ring = RingRecord(decision=RolloutAction.ROLL_BACK, background_load=load, began=NOON, ended=NOON)
    return RehearsalRecord(
        form=FORM, release="r", title="R", before="7.0", after="8.0", risk="low", digest="d", session="s", began=NOON,
        ended=NOON, tenants={"aldgate": TenantRecord(ring="canary", stages=stages)}, rings={"canary": ring},
    )  # fmt: skip


def test_what_each_stage_came_to_is_kept_as_it_was() -> None:
    kept = RehearsalRecord.model_validate_json(record().model_dump_json())
    assert kept == record()
    of = kept.tenants["aldgate"]
    assert [of.result(type(each)) for each in RESULTS.values()] == list(RESULTS.values())


def test_the_page_shows_what_each_stage_came_to(release: Release, tmp_path: Path) -> None:
    page = write_report(record(), release, tmp_path / "page.html").read_text(encoding="utf-8")
    for words in (
        "8 passed", "4 begun before, 4 finished after", "Looked at twice", "it did not answer in time",
        "time-entry over the browser", '<td class="num missed">1.5 h</td>', "15 min", "1.4 MB", "5 min", "41.5 s",
        "VAT is now 19 %", "accepted: the waiver of finance", "1 to be entered again", "1,080.00 GBP",
        "processes ran on kyoto: 12 passed, the slowest in 3.5",
    ):  # fmt: skip
        assert words in page, words
    assert conclusion(record()) == "Ring canary was rolled back."
