"""Messages are read out of a stream of a real NATS server, and stay there."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import nats
import pytest

from ringgate.domain.integrations import Arrival, Integration
from ringgate.integrations import ObserverError, observer_of
from tests.unit.integrations.samples import MARKER, Told, integration

FIELDS = {"marker": "memo", "id": "message-id", "amount": "$.total.value", "currency": "$.total.currency", "at": "time"}
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
INVOICE = {"memo": MARKER, "total": {"value": "142.80", "currency": "EUR"}}


@dataclass(frozen=True)
class Server:
    """A NATS server with a stream INVOICES of the subjects `invoices.*`."""

    port: int

    def run(self, work: Any) -> Any:
        async def within() -> Any:
            connection = await nats.connect(f"nats://127.0.0.1:{self.port}", user="ringgate", password="open-sesame")
            try:
                return await work(connection.jetstream())
            finally:
                await connection.close()

        return asyncio.run(within())

    def publish(self, subject: str, said: object, **headers: str) -> None:
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.run(lambda stream: stream.publish(subject, data, headers=headers or None))

    def integration(self, **differently: Any) -> Integration:
        made = {
            "kind": "nats", "address": f"nats://127.0.0.1:{self.port}/INVOICES", "user": "ringgate", "fields": FIELDS,
            "password": Told("open-sesame"), "settings": {"subject": "invoices.acme"},
        }  # fmt: skip
        return integration(**{**made, **differently})


@pytest.fixture(scope="module")
def nats_server(tmp_path_factory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("nats")
    config = folder / "nats.conf"
    config.write_text('authorization { user: ringgate, password: open-sesame }\njetstream { store_dir: "jetstream" }\n')
    program = Path(sys.executable).with_name("nats-server")
    words = [program, "-c", config, "-a", "127.0.0.1", "-p", "-1"]
    running = subprocess.Popen(words, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        said = ""  # it says where it listens, and then that it is ready
        while "Server is ready" not in said:
            line = running.stderr.readline()
            assert line, said
            said += line
        yield Server(int(re.search(r"client connections on 127\.0\.0\.1:(\d+)", said)[1]))
    finally:
        running.terminate()
        running.wait(20)


@pytest.fixture
def server(nats_server: Server) -> Iterator[Server]:
    nats_server.run(lambda stream: stream.add_stream(name="INVOICES", subjects=["invoices.*"]))
    yield nats_server
    nats_server.run(lambda stream: stream.delete_stream("INVOICES"))


def seen(of: Integration, since: datetime = LONG_AGO) -> list[Arrival]:
    observer = observer_of(of)
    try:
        return list(observer.seen(MARKER, since))
    finally:
        observer.close()


def test_what_was_published_is_read_and_stays(server):
    server.publish("invoices.acme", INVOICE, **{"Nats-Msg-Id": "INV-1"})
    server.publish("invoices.acme", INVOICE | {"memo": "another"})
    server.publish("invoices.other", INVOICE)
    server.publish("invoices.acme", b"no JSON")
    before = datetime.now(UTC)
    for _ in range(2):
        (found,) = seen(server.integration())
        assert (found.id, found.amount, found.currency) == ("INV-1", Decimal("142.80"), "EUR")
        assert found.at is not None
        assert timedelta() <= before - found.at < timedelta(minutes=1)
    assert len(seen(server.integration(settings={}))) == 2  # of all subjects
    assert seen(server.integration(), datetime.now(UTC) + timedelta(seconds=1)) == []
    info = server.run(lambda stream: stream.stream_info("INVOICES"))
    assert (info.state.messages, info.state.consumer_count) == (4, 0)


def test_each_delivery_has_its_own_place_and_one_that_was_tried_again_its_own_id(server):
    for _ in range(3):
        server.publish("invoices.acme", INVOICE | {"number": "INV-7"})
    ids = [each.id for each in seen(server.integration())]
    assert len(set(ids)) == 3
    of = server.integration(fields=FIELDS | {"id": "number"})
    assert {each.id for each in seen(of)} == {"INV-7"}


def test_many_messages_are_read_to_the_last(server):
    async def publish(stream: Any) -> None:
        for number in range(500):
            await stream.publish("invoices.acme", json.dumps(INVOICE | {"number": number}).encode())

    server.run(publish)
    assert len(seen(server.integration())) == 500


@pytest.mark.parametrize(
    ("differently", "why"),
    [
        ({"password": Told("wrong-one-here")}, "the stream cannot be read: .*[Aa]uthorization"),
        ({"address": "nats://127.0.0.1:9/INVOICES"}, "the stream cannot be read: .*Connect call failed"),
    ],
)
def test_a_server_that_lets_nobody_in_is_our_side(server, differently, why):
    with pytest.raises(ObserverError, match=f"payroll: {why}") as caught:
        seen(server.integration(**differently))
    assert "wrong-one-here" not in str(caught.value)


def test_a_stream_that_is_not_there_and_a_message_that_is_no_json_are_our_side(server):
    with pytest.raises(ObserverError, match=r"payroll: the stream cannot be read: .*stream not found"):
        seen(server.integration(address=server.integration().address + "X"))
    server.publish("invoices.acme", MARKER.encode())
    with pytest.raises(ObserverError, match="payroll: message 1 of the stream is no JSON"):
        seen(server.integration())
