"""The front door's processor time for each request, apart from the ERP's and the client's.

    python -m tests.evaluation.bench.frontdoor [REQUESTS]

    small answers      312 us a request
    files of 300 kB    871 us a request

A server of fixed answers stands for the ERP; one client with one connection asks it through the front door.
"""

from __future__ import annotations

import asyncio
import http.client
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path

from ringgate.estate import ports
from ringgate.estate.frontdoor import FaultControl, Route, Routes
from ringgate.estate.processes import Daemon, answers, free_port

DIALECT = "ringgate.estate.tryton.dialect:TrytonDialect"
SMALL = b'{"id": 1, "result": [[1, "a record"], {"__class__": "Decimal", "decimal": "12.00"}]}'
LARGE = b"x" * 300_000
CALL = b'{"id": 1, "method": "model.account.invoice.read", "params": [[1, 2, 3], ["number", "state"], {"company": 1}]}'


def answer_always(port: int) -> None:
    """Serves CALL with SMALL and everything else with LARGE, one request for each connection, as a worker does."""

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # somebody looked whether this port answers
            return
        content, body = ("text/plain", LARGE) if head.startswith(b"GET") else ("application/json", SMALL)
        if head.startswith(b"POST"):
            await reader.readexactly(len(CALL))
        first = (
            f"HTTP/1.1 200 OK\r\ncontent-type: {content}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        writer.write(first.encode() + body)
        await writer.drain()
        writer.close()

    async def serve() -> None:
        async with await asyncio.start_server(visit, "127.0.0.1", port) as server:
            await server.serve_forever()

    asyncio.run(serve())


def measured(door: Daemon, port: int, method: str, path: str, body: bytes | None, requests: int) -> float:
    """Seconds of processor time that the front door's process takes for one request."""
    process = door.process()
    assert process is not None
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"content-type": "application/json", "authorization": "Session " + "x" * 60, "accept": "*/*"}
    before = 0.0
    for number in range(requests + 50):
        if number == 50:  # the first ones load code
            times = process.cpu_times()
            before = times.user + times.system
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
    times = process.cpu_times()
    return (times.user + times.system - before) / requests


def main(requests: int) -> None:
    with tempfile.TemporaryDirectory(prefix="ringgate-") as place:
        folder, port, backend = Path(place), free_port(), free_port()
        server = multiprocessing.Process(target=answer_always, args=[backend], daemon=True)
        server.start()
        Routes(tenants={"acme": Route(port=port, backend=f"127.0.0.1:{backend}", series="7.0")}).write(folder)
        FaultControl(folder, folder).clear()
        door = Daemon("front door", folder / "door.pid", folder / "door.log")
        command = [sys.executable, "-m", "ringgate.estate.frontdoor", place, place, DIALECT]
        door.start(command, env=ports.environment(), cwd=folder)
        try:
            door.await_ready(lambda: answers(port) and answers(backend), within=20)
            small = measured(door, port, "POST", "/acme/", CALL, requests)
            large = measured(door, port, "GET", "/file.js", None, requests // 4)
        finally:
            door.stop()
            server.terminate()
    print(f"small answers   {small * 1e6:6.0f} us a request")
    print(f"files of 300 kB {large * 1e6:6.0f} us a request")


if __name__ == "__main__":
    os.environ.pop("PYTHONPATH", None)
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
