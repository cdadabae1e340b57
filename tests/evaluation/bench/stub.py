"""A server that answers as an ERP would, after a fixed time, from memory: what is measured against it is all our own.

    python -m tests.evaluation.bench.stub 20        # milliseconds; prints its port, and ends with its standard input
    python -m tests.evaluation.bench.stub 20 2000   # reading a project takes so much longer

It speaks just enough of Tryton's JSON-RPC for the scenarios of `tests/evaluation/bench/scenarios/`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections.abc import Callable
from typing import Any

from ringgate.domain.terms import Role

LOGINS = [f"synthetic.{role}" for role in Role]
NUMBERS = [{"id": n, "number": f"{n:06d}", "move": n} for n in range(1, 21)]


def _decimal(text: str) -> dict[str, str]:
    return {"__class__": "Decimal", "decimal": text}


class Unknown(Exception):
    """A call that no scenario of the benches makes: it is refused, and nobody waits for its answer."""


class Erp:
    """What all databases hold together: projects, by their id."""

    def __init__(self) -> None:
        self._ids = itertools.count(100)
        self.projects: dict[int, dict[str, Any]] = {}
        self.calls = 0
        self._methods: dict[str, Callable[[list[Any]], Any]] = {
            "common.server.version": lambda params: "7.0.59",
            "common.db.login": lambda params: [LOGINS.index(params[0]) + 1, "0123456789abcdef" * 4],
            "common.db.logout": lambda params: None,
            "model.res.user.get_preferences": lambda params: {"company": 1, "language": "en"},
            "model.res.user.read": self._user,
            "model.account.invoice.search_read": lambda params: NUMBERS,
            "model.party.party.search": lambda params: [7],
            "model.product.product.search": lambda params: [8],
            "model.project.work.create": self._create,
            "model.project.work.read": lambda params: [self.projects[each] for each in params[0]],
            "model.project.work.search_read": self._found,
            "model.project.work.delete": self._delete,
            "stub.projects": lambda params: sorted(self.projects),
        }

    def answer(self, method: str, params: list[Any]) -> Any:
        """Raises Unknown."""
        self.calls += 1
        if method not in self._methods:
            raise Unknown(f"the stub knows no {method}")
        return self._methods[method](params)

    def _user(self, params: list[Any]) -> Any:
        company = {"id": 1, "party.": {"id": 1, "name": "Bench Ltd"}}
        return [{"id": params[0][0], "login": LOGINS[params[0][0] - 1], "name": "Synthetic", "company.": company,
                 "language.": {"id": 1, "code": "en"}}]  # fmt: skip

    def _create(self, params: list[Any]) -> list[int]:
        (values,) = params[0]
        project, task = next(self._ids), next(self._ids)
        made = values["children"][0][1][0]
        child = {"id": task, "name": made["name"], "list_price": made["list_price"], "timesheet_works": [task],
                 "effort_duration": made["effort_duration"], "progress": None, "invoice_line": None}  # fmt: skip
        self.projects[project] = {
            "id": project, "name": values["name"], "type": "project", "party.": {"id": 7, "name": "Client"},
            "status.": {"id": 1, "progress": None}, "currency.": {"id": 1, "code": "GBP", "digits": 2},
            "list_price": _decimal("0"), "effort_duration": None, "progress": None, "timesheet_works": [],
            "invoice_line": None, "children.": [child],
        }  # fmt: skip
        return [project]

    def _found(self, params: list[Any]) -> list[dict[str, Any]]:
        """By id, or by a part of the name: an undo that knows no id looks for its marker."""
        ((field, _operator, wanted),) = params[0]
        if field == "id":
            return [self.projects[wanted]] if wanted in self.projects else []
        return [each for each in self.projects.values() if wanted.strip("%") in each[field]]

    def _delete(self, params: list[Any]) -> None:
        for each in params[0]:
            self.projects.pop(each, None)


class Visit(asyncio.Protocol):
    """One connection. A request is answered `delay` seconds after all of it has arrived."""

    def __init__(self, erp: Erp, delay: float, reading: float) -> None:
        self._erp, self._delay, self._reading, self._buffer = erp, delay, reading, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = next(int(x[15:]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:"))
        if len(rest) < length:
            return
        self._buffer = b""
        call = json.loads(rest)
        more = self._reading if call["method"] == "model.project.work.read" else 0.0
        asyncio.get_running_loop().call_later(self._delay + more, self._answer, call)

    def _answer(self, call: dict[str, Any]) -> None:
        try:
            said = {"result": self._erp.answer(call["method"], call["params"])}
        except Unknown as refused:
            said = {"error": ["UnknownMethod", str(refused)]}
        answer = json.dumps({"id": call["id"], **said}).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer)
        if not self._transport.is_closing():
            self._transport.write(head + answer)  # type: ignore[attr-defined]


async def _serve(delay: float, reading: float = 0.0) -> None:
    erp, loop = Erp(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Visit(erp, delay, reading), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # the end of it is the end of whoever started us
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(*(float(each) / 1000 for each in sys.argv[1:])))
