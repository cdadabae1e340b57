"""What an upgrade breaks for programs, as a rehearsal judges it: by what was used before, and by who answers for it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ringgate.domain.events import RunFinished
from ringgate.domain.model import RunResult, Tenant
from ringgate.domain.terms import Channel, Outcome, Role
from ringgate.domain.waivers import Waiver
from ringgate.inventory import Inventory
from ringgate.rollout.record import FORM, RehearsalRecord, RingRecord, StageRecord, TenantRecord
from ringgate.rollout.release_tables import ReleaseIntegrationTable
from ringgate.rollout.results import VerificationResult
from ringgate.rollout.surface import Surfaces, listing
from ringgate.rollout.surface_view import surface_view
from ringgate.surface.model import Grammar, Model, Surface, SurfaceField, call, reading

TODAY = date(2026, 11, 24)
RINGS = {"aldgate": "canary", "bleecker": "early", "cologne": "early", "kyoto": "broad"}
READS = reading(Role.AUDITOR, "bill", "number")


NOON = datetime(2026, 11, 24, tzinfo=UTC)


class Offers:
    """A connection to a tenant whose ERP offers this; counts how often it is read."""

    def __init__(self, *fields: str, methods: tuple[str, ...] = ("read", "post")) -> None:
        told = {name: SurfaceField("char") for name in fields}
        self.bill, self.reads = Model("Bill", told, frozenset(methods), frozenset(), {}), 0

    def surface(self) -> Surface:
        self.reads += 1
        grammar = Grammar("model.", "", "", frozenset(), frozenset())
        return Surface("x", "erp", "1", NOON, {}, {"bill": self.bill}, {}, {}, grammar)


def ran(surfaces: Surfaces, tenant: Tenant, *touched: str) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    result = RunResult(
        "r", "0" * 32, "billing", tenant.id, tenant.ring, Channel.API, Outcome.PASSED, now, 1.0,
        touched=frozenset(touched),
    )  # fmt: skip
    surfaces.on(RunFinished(result))


@pytest.fixture(scope="module")
def tenants() -> dict[str, Tenant]:
    return {each.id: each for each in Inventory.load(Path(__file__).parents[3] / "tenants").tenants}


def accepting(signature: str, **more: object) -> Waiver:
    told = {"tenant": "*", "owner": "qa", "reason": "known", "expires": date(2027, 1, 31), **more}
    return Waiver(**{"signature": signature, **told})  # type: ignore[arg-type]


GONE = "field removed bill.number"


@pytest.mark.parametrize(
    ("used", "accepted", "objects"),
    [
        ((READS,), (), "1 change breaks what is used, and nobody accepts it: bill.number is gone."),
        ((), (), ""),
        ((reading(Role.AUDITOR, "bill", "note"),), (), ""),
        ((READS,), (accepting(GONE),), ""),
        ((READS,), (accepting(GONE, tenant="kyoto"),), "nobody accepts it"),
        ((READS,), (accepting(GONE, expires=date(2026, 11, 23)),), "(1 accepted by qa through 2026-11-23)"),
    ],
)
def test_a_break_that_is_used_needs_somebodys_word(tmp_path, tenants, used, accepted, objects):
    surfaces, tenant = Surfaces(tmp_path, RINGS, accepted), tenants["aldgate"]
    ran(surfaces, tenant, *used)
    surfaces.before(tenant, Offers("number", "note"), ["account"])
    (offered,) = surfaces.after(tenant, Offers("note"), TODAY)
    assert objects in offered.objection
    assert bool(offered.objection) is bool(objects)
    assert "bill.number is gone" in listing(tmp_path, "aldgate").read_text()


def test_what_an_integration_uses_counts_although_no_run_used_it(tmp_path, tenants):
    integration = ReleaseIntegrationTable(name="export", owner="it", role=Role.AUDITOR, uses=("call model.bill.post",))
    surfaces, tenant = Surfaces(tmp_path, RINGS, (), [integration]), tenants["aldgate"]
    ran(surfaces, tenant)
    surfaces.before(tenant, Offers("number"), [])
    (offered,) = surfaces.after(tenant, Offers("number", methods=("read",)), TODAY)
    assert "bill no longer offers post()" in offered.objection
    assert offered.result.used[0].users == ["export"]


def test_tenants_with_the_same_modules_are_read_once_and_judged_each_by_what_was_used_till_then(tmp_path, tenants):
    surfaces = Surfaces(tmp_path, RINGS)
    first, same, other = Offers("number", "note"), Offers(), Offers("number")
    ran(surfaces, tenants["aldgate"])
    surfaces.before(tenants["aldgate"], first, ["account"])
    ran(surfaces, tenants["kyoto"], READS)
    surfaces.before(tenants["kyoto"], same, ["account"])
    ran(surfaces, tenants["bleecker"], READS)
    surfaces.before(tenants["bleecker"], other, ["account", "sale"])
    assert (first.reads, same.reads, other.reads) == (1, 0, 1)
    (on_aldgate,) = surfaces.after(tenants["aldgate"], Offers("note"), TODAY)
    (on_kyoto,) = surfaces.after(tenants["kyoto"], same, TODAY)
    assert (on_aldgate.objection, same.reads) == ("", 0)
    assert "bill.number is gone" in on_kyoto.objection
    assert on_kyoto.result.read_of == "aldgate"


def test_what_the_first_tenant_offers_is_read_ahead_and_not_again(tmp_path, tenants):
    surfaces = Surfaces(tmp_path, RINGS)
    first, second = Offers("number"), Offers()
    surfaces.ahead(tenants["aldgate"], first)
    surfaces.ahead(tenants["kyoto"], second)
    surfaces.before(tenants["aldgate"], first, ["account"])
    assert (first.reads, second.reads) == (1, 0)


def test_in_one_ring_the_tenant_that_is_read_is_judged_together_with_those_it_stands_for(tmp_path, tenants):
    surfaces = Surfaces(tmp_path, RINGS)
    ran(surfaces, tenants["bleecker"])
    surfaces.before(tenants["bleecker"], Offers("number"), [])
    ran(surfaces, tenants["cologne"], READS)
    surfaces.before(tenants["cologne"], Offers(), [])
    assert surfaces.after(tenants["cologne"], Offers(), TODAY) == []
    found = surfaces.after(tenants["bleecker"], Offers("new"), TODAY)
    assert [(each.tenant, bool(each.objection)) for each in found] == [("bleecker", False), ("cologne", True)]


def test_what_was_used_before_a_kill_still_counts(tmp_path, tenants):
    tenant = tenants["aldgate"]
    ran(Surfaces(tmp_path, RINGS), tenant, READS)
    again = Surfaces(tmp_path, RINGS)
    ran(again, tenant, call(Role.AUDITOR, "model.bill.read"))
    again.before(tenant, Offers("number"), [])
    (offered,) = again.after(tenant, Offers(), TODAY)
    assert offered.result.touches == 2
    assert offered.objection


def test_what_is_used_is_noted_as_runs_end_and_only_before_the_change(tmp_path, tenants):
    surfaces, tenant = Surfaces(tmp_path, RINGS), tenants["aldgate"]
    assert surfaces.known() == frozenset()
    ran(surfaces, tenant, READS)
    ran(surfaces, tenants["kyoto"], READS)
    assert Surfaces(tmp_path, RINGS).known() == {"billing"}
    surfaces.before(tenant, Offers("number", "note"), [])
    ran(surfaces, tenant, reading(Role.AUDITOR, "bill", "note"))
    (offered,) = surfaces.after(tenant, Offers(), TODAY)
    assert [each.signature for each in offered.result.used] == [GONE]
    assert "billing over api" in offered.result.users


def test_the_page_shows_one_row_for_a_change_whichever_tenants_it_is_of(tmp_path, tenants):
    surfaces = Surfaces(tmp_path, RINGS, [accepting(GONE, tenant="kyoto")])
    record = RehearsalRecord(
        form=FORM, release="r", title="R", before="1", after="2", risk="high", digest="", session="s",
        began=datetime(2026, 11, 24, tzinfo=UTC), rings={"canary": RingRecord()},
        tenants={name: TenantRecord(ring=RINGS[name]) for name in ("aldgate", "kyoto")},
    )  # fmt: skip
    assert surface_view(record, {}) is None
    for name, kept in record.tenants.items():
        ran(surfaces, tenants[name], READS)
        surfaces.before(tenants[name], Offers("number"), [])
        offered = surfaces.after(tenants[name], Offers("other"), TODAY)
        result = VerificationResult({}, 0, surface={each.tenant: each.result for each in offered})
        kept.stages["verification"] = StageRecord(began=record.began, result=result)
    view = surface_view(record, {"aldgate": "./list.txt"})
    assert view is not None
    (row,) = view["rows"]
    assert (row["word"], row["users"], row["tenants"]) == ("breaks", "Billing (API)", "")
    assert "not on aldgate" in row["accepted"]
    assert view["lists"] == [("aldgate", "./list.txt")]
    assert view["rest"] == "0 changes break and 0 may break what nothing known uses, and 1 are compatible"


def test_an_accepted_break_is_shown_with_who_answers_for_it(tmp_path, tenants):
    surfaces, tenant = Surfaces(tmp_path, RINGS, [accepting(GONE)]), tenants["aldgate"]
    ran(surfaces, tenant, READS)
    surfaces.before(tenant, Offers("number"), [])
    (offered,) = surfaces.after(tenant, Offers(), TODAY)
    assert offered.result.used[0].accepted == "known (qa, through 2027-01-31)"
    assert "accepted: known (qa, through 2027-01-31)" in listing(tmp_path, "aldgate").read_text()
    assert offered.objection == ""
