"""Observers read real far ends: files, an SFTP server, a mailbox, an HTTP API, a database; none changes anything."""

from __future__ import annotations

import contextlib
import imaplib
import json
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import asyncssh
import pytest

from ringgate.domain.integrations import Arrival, Integration
from ringgate.integrations import ObserverError, known_kinds, observer_of, watch
from tests.unit.integrations.samples import MARKER, Told, expected, integration
from tests.unit.integrations.sftp import Sftp

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
FILE = f"number,note,total,currency\nINV-1,{MARKER} consulting,120.00,EUR\nINV-2,other,99.00,EUR\n"
ONE = Arrival("INV-1", amount=Decimal("120.00"), currency="EUR")


def seen(of: Integration, since: datetime = LONG_AGO) -> list[Arrival]:
    observer = observer_of(of)
    try:
        return list(observer.seen(MARKER, since))
    finally:
        observer.close()


def test_every_kind_that_ships_is_found():
    assert {"csv", "json", "mail", "nats", "s3", "sql"} <= set(known_kinds())
    with pytest.raises(
        ObserverError, match="no observer is installed for fax; there is csv, json, mail, nats, s3, sql"
    ):
        observer_of(integration(kind="fax"))


# --- files ------------------------------------------------------------------------------------------------------------


def test_files_of_a_folder_are_read(tmp_path):
    (tmp_path / "out.csv").write_text(FILE)
    (tmp_path / "notes.txt").write_text(FILE)
    of = integration(address=tmp_path.as_uri())
    assert seen(of) == [ONE]
    assert seen(of, datetime.now(UTC) + timedelta(hours=1)) == []


def test_what_a_file_states_is_read_as_its_settings_say(tmp_path):
    (tmp_path / "hours.dat").write_bytes(
        f"zeit;text;betrag;nr\n2026-11-24 09:00;ä {MARKER};1.234,50;1\n".encode("latin-1")
    )
    of = integration(
        address=tmp_path.as_uri(),
        fields={"marker": "text", "id": "(line)", "amount": "betrag", "at": "zeit"},
        settings={
            "files": "*.dat",
            "delimiter": ";",
            "encoding": "latin-1",
            "decimals": ",",
            "timezone": "Europe/Berlin",
        },
    )
    assert seen(of) == [Arrival("1", amount=Decimal("1234.50"), at=datetime(2026, 11, 24, 8, tzinfo=UTC))]


@pytest.mark.parametrize(("hours", "number"), [("7.5", "7.5"), ("7:30", "7.5"), ("-0:15", "-0.25"), ("", None)])
def test_hours_may_be_stated_with_minutes(tmp_path, hours, number):
    (tmp_path / "out.csv").write_text(f"number,note,hours\n1,{MARKER},{hours}\n")
    of = integration(address=tmp_path.as_uri(), fields={"marker": "note", "id": "number", "hours": "hours"})
    (found,) = seen(of)
    assert found.hours == (None if number is None else Decimal(number))
    assert found.reversal == hours.startswith("-")


def test_a_column_that_went_is_told_and_so_is_what_is_no_number(tmp_path):
    of = integration(address=tmp_path.as_uri())
    (tmp_path / "out.csv").write_text(f"number,note,sum,currency\nINV-1,{MARKER},120.00,EUR\n")
    with pytest.raises(ObserverError, match="there is no total at the far end any more: it states number, note, sum"):
        seen(of)
    (tmp_path / "out.csv").write_text(FILE.replace("120.00", "lots"))
    with pytest.raises(ObserverError, match='payroll: total is no number at the far end: "lots"'):
        seen(of)


def test_a_folder_that_is_not_there_is_our_side(tmp_path):
    with pytest.raises(ObserverError, match=r"payroll: .* cannot be read: No such file or directory") as caught:
        seen(integration(address=(tmp_path / "gone").as_uri()))
    assert caught.value.kind == "integration"


# --- SFTP -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sftp(tmp_path) -> Iterator[Sftp]:
    (tmp_path / "out").mkdir()
    server = Sftp(tmp_path)
    yield server
    server.stop()


def test_files_are_read_over_sftp_with_a_password_or_a_key(sftp, tmp_path):
    (tmp_path / "out" / "a.csv").write_text(FILE)
    assert seen(sftp.integration()) == [ONE]
    key = Told(sftp.user_key.export_private_key().decode())
    assert seen(sftp.integration(password=None, key=key)) == [ONE]
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["a.csv"]


def test_another_host_key_a_wrong_password_and_a_server_that_is_down_are_our_side(sftp):
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    with pytest.raises(ObserverError, match="the SFTP server cannot be read: Host key is not trusted"):
        seen(sftp.integration(settings={"host_key": other}))
    with pytest.raises(ObserverError, match="Permission denied") as caught:
        seen(sftp.integration(password=Told("wrong-one-here")))
    assert "wrong-one-here" not in str(caught.value)
    sftp.stop()
    with pytest.raises(ObserverError, match="the SFTP server cannot be read"):
        seen(sftp.integration())


# --- mail -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Callable[[EmailMessage], Integration]]:
    """A real IMAP server; called with a message, it has that one more, and says how to look for it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    where = [
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--no-tls",
        "--no-service",
        "admin",
        "--no-service",
        "managesieve",
    ]
    who = ["dict", "--demo-user", "ringgate", "--demo-password", "open-sesame"]
    command = [Path(sys.executable).with_name("pymap"), *where, *who]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _listening(port, process)

        def given(message: EmailMessage) -> Integration:
            with imaplib.IMAP4("127.0.0.1", port) as box:
                box.login("ringgate", "open-sesame")
                box.append("INBOX", "", imaplib.Time2Internaldate(datetime.now(UTC)), message.as_bytes())
            return integration(
                name="invoice-mail", kind="mail", address=f"imap://127.0.0.1:{port}/INBOX", user="ringgate",
                password=Told("open-sesame"),
                fields={"marker": "text", "id": "message-id", "tenant": "to", "amount": "/Total: ([0-9.]+)/",
                        "currency": "/Total: [0-9.]+ ([A-Z]{3})/"},
            )  # fmt: skip

        yield given
    finally:
        process.kill()
        process.communicate()


def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        threading.Event().wait(0.05)
    raise AssertionError((process.stderr.read() if process.stderr else b"").decode())


def message(body: str, **headers: str) -> EmailMessage:
    made = EmailMessage()
    for name, value in {
        "Subject": "Invoice",
        "From": "erp@acme.example",
        "To": "customer@example.com",
        **headers,
    }.items():
        made[name.replace("_", "-")] = value
    made.set_content(body)
    return made


def test_a_message_states_what_patterns_find_in_it(mailbox):
    of = mailbox(message(f"{MARKER}\nTotal: 120.00 EUR\n", Message_ID="<1@acme>"))
    found = {each.id: each for each in seen(of)}
    assert found["<1@acme>"] == Arrival("<1@acme>", "customer@example.com", Decimal("120.00"), "EUR")


def test_the_text_of_an_attached_pdf_is_read_and_the_message_stays_unread(mailbox):
    mail = message("See the attachment.", Message_ID="<2@acme>")
    mail.add_attachment(
        pdf(f"Invoice {MARKER} Total: 99.50 EUR"), maintype="application", subtype="pdf", filename="i.pdf"
    )
    of = mailbox(mail)
    found = {each.id: each for each in seen(of)}
    assert found["<2@acme>"].amount == Decimal("99.50")
    with imaplib.IMAP4("127.0.0.1", int(of.address.split(":")[2].split("/")[0])) as box:
        box.login("ringgate", "open-sesame")
        box.select("INBOX", readonly=True)
        assert box.search(None, "SEEN")[1] == [b""]


def test_a_mailbox_that_lets_nobody_in_is_our_side(mailbox):
    of = mailbox(message("nothing"))
    with pytest.raises(ObserverError, match="invoice-mail: the mailbox cannot be read") as caught:
        seen(Integration(**{**{k: getattr(of, k) for k in Integration.__slots__}, "password": Told("wrong-one-here")}))
    assert "wrong-one-here" not in str(caught.value)


def pdf(text: str) -> bytes:
    """A PDF of one page with one line of text."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    content, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return content + b"xref\n0 5\n0000000000 65535 f \n%strailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table, len(content),
    )  # fmt: skip


# --- HTTP and SQL -----------------------------------------------------------------------------------------------------


@pytest.fixture
def api() -> Iterator[tuple[str, dict[str, object], list[tuple[str, str]]]]:
    """An HTTP server: its address, what it says, and what it was asked with which authorization."""
    says: dict[str, object] = {"status": 200, "body": []}
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers.get("Authorization", "")))
            self.send_response(int(str(says["status"])))
            self.end_headers()
            body = says["body"]
            self.wfile.write(body if isinstance(body, bytes) else json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", says, asked
    server.shutdown()
    server.server_close()


def crm(address: str, **differently: object) -> Integration:
    made = {"name": "crm", "kind": "json", "address": f"{address}/invoices?q=${{MARKER}}&since=${{SINCE}}",
            "key": Told("bearer-0123456789"), "settings": {"rows": "$.data[*]"},
            "fields": {"marker": "memo", "id": "id", "amount": "$.sum.value", "currency": "$.sum.currency",
                       "tax.19%": "$.taxes.full", "reversal": "voided", "at": "made"}}  # fmt: skip
    return integration(**{**made, **differently})


def test_an_api_is_asked_for_the_marker_and_its_json_read(api):
    address, says, asked = api
    row = {"id": 7, "memo": MARKER, "sum": {"value": "142.80", "currency": "EUR"}, "taxes": {"full": 22.8},
           "voided": False, "made": "2026-11-24T12:00:01Z"}  # fmt: skip
    says["body"] = {"data": [row, {**row, "id": 8, "voided": True}, {**row, "memo": "other"}]}
    first, second = seen(crm(address))
    at = datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC)
    assert first == Arrival("7", "", Decimal("142.80"), "EUR", None, {"19%": Decimal("22.8")}, at)
    assert second.reversal
    assert asked == [(f"/invoices?q={MARKER}&since=2026-01-01T00:00:00Z", "Bearer bearer-0123456789")]


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, [], "the far end answers with HTTP 500"),
        (302, [], "HTTP 302"),
        (200, b"<html>", "the far end's answer is no JSON"),
    ],
)
def test_an_api_that_fails_is_our_side(api, status, body, why):
    address, says, _ = api
    says |= {"status": status, "body": body}
    with pytest.raises(ObserverError, match=f"crm: .*{why}"):
        seen(crm(address))


def test_a_warehouse_is_asked_by_sql_that_can_change_nothing(tmp_path):
    file = tmp_path / "warehouse.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE revenue (doc TEXT, memo TEXT, net TEXT)")
        database.execute("INSERT INTO revenue VALUES ('INV-1', ?, '120.00')", [f"for {MARKER}"])
    of = integration(
        kind="sql", password=Told(f"sqlite:///{file}"), fields={"marker": "memo", "id": "doc", "amount": "net"},
        settings={"query": "SELECT doc, memo, net FROM revenue WHERE memo LIKE '%' || :marker || '%'"},
    )  # fmt: skip
    assert seen(of) == [Arrival("INV-1", amount=Decimal("120.00"))]
    with pytest.raises(ObserverError, match="payroll: the test's secret: attempt to write a readonly database"):
        seen(integration(kind="sql", password=of.password, fields=of.fields, settings={"query": "DELETE FROM revenue"}))


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_a_document_is_waited_for_until_it_is_there_and_then_its_reversal(tmp_path):
    file, looks, now = tmp_path / "out.csv", [], [expected().sent]
    (tmp_path / "out.csv").write_text("number,note,total,currency\n")
    of, remembered = integration(address=tmp_path.as_uri(), quiet=timedelta(0)), {}

    def wait(seconds: float) -> None:
        looks.append(seconds)
        now[0] += timedelta(seconds=seconds)
        if len(looks) == 3:
            file.write_text(FILE)

    observer = observer_of(of)
    what = expected(tenant="")
    state = watch(of, observer, what, seen=remembered, clock=lambda: now[0], wait=wait)
    assert (state.faults, state.lag, len(looks)) == ((), timedelta(seconds=3), 3)
    file.write_text(FILE + f"CN-1,{MARKER},-120.00,EUR\n")
    state = watch(of, observer, expected(tenant="", reversed=now[0]), seen=remembered, clock=lambda: now[0], wait=wait)
    assert (state.faults, state.reversal_lag) == ((), timedelta(0))


def test_what_never_comes_is_late_and_no_error(tmp_path):
    now = [expected().sent]

    def wait(seconds: float) -> None:
        now[0] += timedelta(seconds=20 * seconds)

    of = integration(address=tmp_path.as_uri())
    state = watch(of, observer_of(of), expected(), clock=lambda: now[0], wait=wait)
    assert [each.rule for each in state.faults] == ["late"]
