"""Files in a bucket of a real server that speaks as S3 does are read, and left as they are."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from ringgate.domain.integrations import Arrival, Integration
from ringgate.integrations import ObserverError, observer_of
from tests.unit.integrations.samples import MARKER, Told, integration

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
FILE = f"number,note,total,currency\nINV-1,{MARKER} consulting,120.00,EUR\nINV-2,other,99.00,EUR\n"
ONE = Arrival("INV-1", amount=Decimal("120.00"), currency="EUR")
USER, SECRET = "ringgate-reader", "open-sesame-0123456789"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """Where a server answers that has a bucket `exports`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder, program = tmp_path_factory.mktemp("s3"), Path(sys.executable).with_name("nanio")
    words = [
        program,
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--data-dir",
        folder / "data",
        "--log-level",
        "warning",
    ]
    known = {**os.environ, "NANIO_ACCESS_KEY": USER, "NANIO_SECRET_KEY": SECRET}
    running = subprocess.Popen(words, cwd=folder, env=known)
    try:
        answers(f"http://127.0.0.1:{port}", running)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(20)


def answers(address: str, running: subprocess.Popen[bytes]) -> None:
    """Returns when the server answers anything at all; fails if it ended."""
    while True:
        assert running.poll() is None, "the server ended"
        try:
            httpx.get(address, timeout=5)
            return
        except httpx.TransportError:
            continue


@pytest.fixture
def bucket(address: str) -> Iterator[Any]:
    client = boto3.client(
        "s3", endpoint_url=address, aws_access_key_id=USER, aws_secret_access_key=SECRET, region_name="us-east-1"
    )
    client.create_bucket(Bucket="exports")
    yield lambda key, text: client.put_object(Bucket="exports", Key=key, Body=text.encode())
    for each in client.list_objects_v2(Bucket="exports").get("Contents", ()):
        client.delete_object(Bucket="exports", Key=each["Key"])
    client.delete_bucket(Bucket="exports")
    client.close()


def of(endpoint: str, **differently: Any) -> Integration:
    made = {"kind": "s3", "address": "s3://exports/acme/", "user": USER, "password": Told(SECRET),
            "settings": {"endpoint": endpoint, "files": "hours-*.csv"}}  # fmt: skip
    return integration(**{**made, **differently})


def seen(told: Integration, since: datetime = LONG_AGO) -> list[Arrival]:
    observer = observer_of(told)
    try:
        return list(observer.seen(MARKER, since))
    finally:
        observer.close()


def test_files_of_the_tenants_prefix_are_read(address, bucket):
    bucket("acme/hours-1.csv", FILE)
    bucket("acme/notes.csv", FILE)
    bucket("other/hours-1.csv", FILE)
    assert seen(of(address)) == [ONE]
    assert seen(of(address), datetime.now(UTC) + timedelta(hours=1)) == []


def test_a_file_that_is_written_anew_is_read_anew(address, bucket):
    bucket("acme/hours-1.csv", FILE.replace(MARKER, "other"))
    observer = observer_of(of(address))
    assert list(observer.seen(MARKER, LONG_AGO)) == []
    bucket("acme/hours-1.csv", FILE)
    assert list(observer.seen(MARKER, LONG_AGO)) == [ONE]
    observer.close()


@pytest.mark.parametrize(
    ("differently", "why"),
    [
        ({"password": Told("wrong-secret-0123456789")}, "SignatureDoesNotMatch"),
        ({"address": "s3://nowhere/acme/"}, "NoSuchBucket"),
        ({"settings": {"endpoint": "http://127.0.0.1:9"}}, "Could not connect to the endpoint URL"),
    ],
)
def test_what_cannot_be_read_is_our_side(address, bucket, differently, why):
    with pytest.raises(ObserverError, match=f"payroll: the bucket cannot be read: .*{why}") as caught:
        seen(of(address, **differently))
    assert "wrong-secret" not in str(caught.value)
