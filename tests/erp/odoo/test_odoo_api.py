"""Every process on real Odoo over the API, by the scenario files that serve other ERPs; the books stay as they were."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import psutil
import pytest

from ringgate.domain.reversal import NOTHING_TO_UNDO, Reversal
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.odoo.values import encode
from ringgate.drivers.protocol import Call
from ringgate.execution.run_once import new_run_id, run_once
from ringgate.scenario.discovery import load_scenarios
from ringgate.scenario.test_data import Make
from tests.erp.odoo.words import PASSED, in_words

SCENARIOS = load_scenarios(Path(__file__).parents[3] / "scenarios")
PROCESSES = (
    "sign-in", "project-creation", "time-entry", "invoicing-from-time", "procurement-approval", "financial-posting",
    "credit-and-payment", "project-to-cash", "authority",
    "tenant-isolation", "tenant-disclosure",
)  # fmt: skip
JSON = {"content-type": "application/json"}
TENANTS = ("hudson", "isar", "thames", "allegheny")


@pytest.mark.parametrize("tenant", TENANTS)
@pytest.mark.parametrize("scenario", PROCESSES)
def test_a_process_passes_and_leaves_the_books_as_they_were(scenario, tenant, tenants, engine, books) -> None:
    before = books(tenants[tenant])
    result = run_once(SCENARIOS[scenario], tenants[tenant], Channel.API, engine)
    assert in_words(result) == PASSED
    assert books(tenants[tenant]) == before


@pytest.fixture
def connection(tenants, engine):
    tenant = tenants["thames"]
    made = engine.drivers[tenant.erp, Channel.API].connect(tenant, Call(new_run_id(), "0" * 32))
    yield made
    made.close()


def test_what_a_crash_left_is_found_by_its_marker(tenants, connection, books) -> None:
    """Nobody noted an id: each reversal has the marker alone, as after a kill between the write and its answer."""
    tenant = tenants["thames"]
    today = datetime.now(ZoneInfo(tenant.timezone)).date()
    before = books(tenant)
    make = Make(tenant, connection._carrier.call.run_id, today)
    manager, consultant, accountant = (
        connection.sign_in(role) for role in (Role.PROJECT_MANAGER, Role.CONSULTANT, Role.ACCOUNTANT)
    )
    draft, request, entry = make.project(), make.request("80.00"), make.entry()
    project = manager.create_project(draft)
    note = f"Work [{make.next_marker()}]"
    consultant.enter_time(project.task, Decimal(2), today, note)
    invoice = accountant.draft_invoice(project)
    consultant.submit_request(consultant.request_purchase(request))
    accountant.post_entry(entry)
    reversals = [
        Reversal("post_entry", "accountant", entry.marker),
        Reversal("request_purchase", "consultant", request.marker),
        Reversal("draft_invoice", "accountant", make.marker, project.ref.id),
        Reversal("enter_time", "consultant", note[note.rindex("[") + 1 : -1], project.task.ref.id),
        Reversal("create_project", "project_manager", draft.marker),
    ]
    assert invoice.state == "draft"
    assert [connection.undo(each) for each in reversals] == [
        "entry cancelled", "request deleted", "draft deleted", "time deleted", "project deleted",
    ]  # fmt: skip
    assert [connection.undo(each) for each in reversals] == [NOTHING_TO_UNDO] * 5
    assert books(tenant) == before


def test_the_estate_calls_nobody_outside(odoo) -> None:
    process = psutil.Process(odoo.serving.server(odoo.first_series).daemon.process().pid)
    far = {each.raddr.ip for each in process.net_connections(kind="inet") if each.raddr}
    assert far <= {"127.0.0.1", "::1"}, f"the ERP's server is connected to {far}"


def test_the_database_manager_and_other_databases_are_closed(odoo, tenants) -> None:
    base = odoo.front_door("hudson")
    assert httpx.get(f"{base}/web/database/manager").status_code == 404
    user = tenants["isar"].users[Role.AUDITOR]
    params = {"db": "isar", "login": user.login, "password": user.on(Channel.API).required_password()}
    body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
    address = f"{base}/web/session/authenticate"
    assert httpx.post(address, content=encode(body), headers=JSON, timeout=60).status_code == 404


def test_another_tenants_session_opens_nothing(odoo, tenants) -> None:
    user = tenants["isar"].users[Role.AUDITOR]
    params = {"db": "isar", "login": user.login, "password": user.on(Channel.API).required_password()}
    body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
    address = f"{odoo.front_door('isar')}/web/session/authenticate"
    signed_in = httpx.post(address, content=encode(body), headers=JSON, timeout=60)
    cookie = {"cookie": f"session_id={signed_in.cookies['session_id']}"}
    call = {"model": "res.users", "method": "search_read", "args": [], "kwargs": {"domain": [], "fields": ["login"]}}
    asked = {"jsonrpc": "2.0", "method": "call", "id": 2, "params": call}
    path = "/web/dataset/call_kw/res.users/search_read"
    own = httpx.post(odoo.front_door("isar") + path, json=asked, headers=cookie, timeout=60)
    assert own.json()["result"]  # the control: the session is alive where it belongs
    other = httpx.post(odoo.front_door("hudson") + path, json=asked, headers=cookie, timeout=60)
    assert other.status_code != 200 or "result" not in other.json()
