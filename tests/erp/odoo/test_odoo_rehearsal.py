"""The hop from 14.0 to 19.0 of a real tenant, rehearsed: each fault of a migration is named after it, and without one
the ring is promoted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from ringgate.domain.model import Tenant
from ringgate.estate import Estate
from ringgate.estate.faults.migration import MigrationFault, planted
from ringgate.estate.odoo.migration_faults import MIGRATION_FAULTS
from ringgate.rollout.release_tables import RolloutAction
from ringgate.rollout.results import FingerprintResult
from ringgate.rollout.stages.context import StageFinding
from ringgate.rollout.stages.sequence import TenantStages
from tests.erp.odoo.conftest import standing
from tests.support.rehearsal import RELEASES, rehearsal_of

FILES = ("odoo-14-to-19.toml", "odoo-19.0-books.toml", "odoo-19.0-accepted.toml")
TENANT = "hudson"


@pytest.fixture
def older() -> Iterator[Estate]:
    """One tenant on 14.0, with fresh books."""
    estate = standing("14.0", 1, "19.0")
    if estate.place(TENANT).series != "14.0":
        estate.reset(TENANT)
    yield estate
    estate.down()


def test_a_clean_upgrade_is_promoted_and_each_fault_of_a_migration_is_named(
    older: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path / "state"))
    for name in FILES:
        shutil.copy(RELEASES / name, tmp_path)
    release = tmp_path / FILES[0]
    alone = release.read_text(encoding="utf-8").replace('risk = "medium"', 'risk = "low"')
    release.write_text(alone, encoding="utf-8")  # a higher risk asks for the sessions of a neighbour
    found: dict[str, StageFinding] = {}

    class Planting(TenantStages):
        def fingerprint(self, tenant: Tenant) -> StageFinding:
            with older.sql(tenant.id) as database:
                for fault in MIGRATION_FAULTS.values():
                    with planted(fault, database):
                        older.reload()
                        found[fault.id] = super().fingerprint(tenant)
            older.reload()
            return super().fingerprint(tenant)

    rehearsal, _ = rehearsal_of(TENANT, older, release, tmp_path / "kept", Planting)
    record = rehearsal.run()
    assert {fault.id for fault in MIGRATION_FAULTS.values() if not _named(fault, found[fault.id])} == set()
    (ring,) = record.rings.values()
    assert [each.sentence for each in ring.reasons] == []
    assert (ring.decision, record.left) == (RolloutAction.PROMOTE, [])
    assert older.place(TENANT).series == "19.0"


def _named(fault: MigrationFault, judged: StageFinding) -> bool:
    assert isinstance(judged.result, FingerprintResult)
    told = [each for each in judged.result.differences if fnmatchcase(each.signature, fault.signature)]
    stops = any(each.action is RolloutAction.ROLL_BACK for each in judged.reasons)
    return stops and any(fault.says in each.cause for each in told)
