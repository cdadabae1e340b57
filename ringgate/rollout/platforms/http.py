"""Hosts that are driven over HTTP: `--platform http=hosts.toml`.

name = "eu"
base = "https://hosting.example.com/api"
token = { env = "HOSTING_TOKEN" }

[status]
request = "GET /tenants/{tenant}"

[upgrade]
request = "POST /tenants/{tenant}/upgrades"
timeout = "30 min"

What changes something is sent as JSON with an Idempotency-Key, the same for each attempt at one thing. 200, 201 and 204
are done; 202 names in Location where to ask for the end (202 again: not yet; 200: done; 409, 422: failed). 400, 409 and
422 are refusals. Anything else, and no answer, means that nobody can tell.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import httpx
from pydantic import AfterValidator, Field
from rich.console import Console

from ringgate.domain.model import Tenant
from ringgate.host.secrets import redact
from ringgate.inventory import Inventory
from ringgate.inventory.files import Problem
from ringgate.inventory.kinds import Duration, StrictTable, Url
from ringgate.inventory.secrets import SecretTable
from ringgate.inventory.tenants import reference
from ringgate.rollout.platforms.answers import HostAnswer
from ringgate.rollout.platforms.hosted import ActionRefused, HostAction
from ringgate.rollout.platforms.hosts_file import (
    ACTIONS,
    HostsFile,
    HostsTable,
    filled_in,
    inventory_of,
    read_hosts,
    site_of,
    unknown_placeholders,
)
from ringgate.rollout.platforms.protocol import PlatformRequest, PlatformSite
from ringgate.rollout.platforms.registry import PlatformError

_REQUEST = re.compile(r"(GET|POST|PUT|DELETE) (/\S*)")
_REFUSED = frozenset({400, 409, 422})
_DONE = frozenset({200, 201, 204})
ANSWER = 60.0
"""Seconds for one answer; what takes longer is answered with 202."""

_TOLD = 500
"""Characters of a refusal that go into an error."""


def _request(value: str) -> str:
    if not _REQUEST.fullmatch(value):
        raise ValueError('must be a method and a path, such as "POST /tenants/{tenant}/upgrades"')
    return value


class RequestTable(StrictTable):
    """One action as a request."""

    request: Annotated[str, AfterValidator(_request)] = Field(
        description="Method and path below `base`; {tenant} and the like are filled in.",
        examples=["POST /tenants/{tenant}/upgrades"],
    )
    timeout: Duration = Field(
        "10 min", validate_default=True,
        description="For so long its end is asked for; after this nobody can tell what came of it.",
        examples=["30 min"],
    )  # fmt: skip


class HttpHostsTable(HostsTable):
    """A whole file of a platform `http`."""

    base: Url = Field(description="What every path stands below.", examples=["https://hosting.example.com/api"])
    token: SecretTable | None = Field(None, description="Where the bearer token is.")
    status: RequestTable = Field(description='Answers {"series": "7.0", "busy": false}.')
    backup: RequestTable = Field(description='Answers {"name": ..., "taken_at": ..., "size": ...}.')
    backups: RequestTable = Field(description="Answers a list of such, of the tenant.")
    restore_beside: RequestTable = Field(description='Restores `backup` as `copy`; answers {"api": ..., "web": ...}.')
    remove_beside: RequestTable = Field(description="Removes `copy`, or what there is of it.")
    upgrade: RequestTable = Field(description="Upgrades to `to`; `steps` holds the release's manual steps.")
    roll_back: RequestTable = Field(description="Restores `backup` in the tenant's place.")
    repair: RequestTable | None = Field(
        None, description="Brings a tenant whose upgrade was cut off back to `backup` [default: roll_back]."
    )


class HttpChannel:
    """Sends the requests. No redirect is followed: the token is for `base` alone."""

    takes_steps = True

    def __init__(
        self,
        file: HostsFile[HttpHostsTable],
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._file, self._sleep = file, sleep
        self._client = httpx.Client(timeout=ANSWER, transport=transport)
        self.actions = frozenset(name for name in ACTIONS if getattr(file.table, name) is not None)

    def settle(self, tenant: Tenant) -> None:
        """Nothing of ours is under way once we are gone; the host's status says what it is at."""

    def call(self, action: HostAction) -> HostAnswer:
        table: RequestTable = getattr(self._file.table, action.name)
        found = _REQUEST.fullmatch(table.request)
        assert found
        values = _values(action)
        path = filled_in(found[2], {name: quote(value, safe="") for name, value in values.items()})
        source = f"{action.tenant.id}: {action.name} ({found[1]} {path})"
        url = self._file.table.base.rstrip("/") + path
        until = time.monotonic() + table.timeout.total_seconds()
        answer = self._send(found[1], url, action, values, source)
        while answer.status_code == 202:
            if time.monotonic() > until:
                raise PlatformError(f"{source} was accepted and has not ended in {table.timeout}: nobody can tell")
            url = self._end_of(answer, url, source)
            self._sleep(self._file.table.poll.total_seconds())
            answer = self._poll(url, action, source, until)
        return HostAnswer(_judged(answer, source), source)

    def _send(
        self, method: str, url: str, action: HostAction, values: Mapping[str, str], source: str
    ) -> httpx.Response:
        body = None
        if method != "GET":
            steps = [each.model_dump(mode="json") | {"text": each.text} for each in action.steps]
            body = {**values, "steps": steps} if action.name == "upgrade" else dict(values)
        try:
            return self._client.request(method, url, json=body, headers=self._headers(action))
        except httpx.HTTPError as error:
            raise PlatformError(f"{source} got no answer: {_said(error)}") from error

    def _poll(self, url: str, action: HostAction, source: str, until: float) -> httpx.Response:
        """A host that does not answer for a while is asked again: it was told what to do."""
        while True:
            try:
                answer = self._client.get(url, headers=self._headers(action))
                if answer.status_code < 500 and answer.status_code != 429:
                    return answer
                said = f"HTTP {answer.status_code}"
            except httpx.HTTPError as error:
                said = _said(error)
            if time.monotonic() > until:
                raise PlatformError(f"{source} was accepted, and its end cannot be asked for: {said}")
            self._sleep(self._file.table.poll.total_seconds())

    def _end_of(self, answer: httpx.Response, url: str, source: str) -> str:
        """Where its end is asked for: on the same host, or the token would go to another."""
        location = answer.headers.get("Location", "")
        if not location:
            if answer.request.method == "GET":
                return url
            raise PlatformError(f"{source} was accepted without a Location: nobody can ask for its end")
        there = str(httpx.URL(url).join(location))
        if urlsplit(there)[:2] != urlsplit(self._file.table.base)[:2]:
            raise PlatformError(f"{source} was accepted, and its Location is on another host: it is not asked")
        return there

    def _headers(self, action: HostAction) -> dict[str, str]:
        found = {"Accept": "application/json"}
        if action.key:
            found |= {"Idempotency-Key": action.key, "Ringgate-Attempt": action.attempt, "Ringgate-Lease": action.lease}
        if token := self._file.table.token:
            secret = reference(token, action.tenant.id, self._file.path.parent.absolute()).reveal()
            found["Authorization"] = f"Bearer {secret}"
        return found


def _judged(answer: httpx.Response, source: str) -> Any:
    """The JSON of what is done, None for none."""
    if answer.status_code in _DONE:
        if not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            raise PlatformError(f"{source} answered {answer.status_code} with what is no JSON") from None
    told = f"{source} answered {answer.status_code}: {redact(' '.join(answer.text.split())[:_TOLD]) or 'nothing more'}"
    if answer.status_code in _REFUSED:
        raise ActionRefused(told)
    raise PlatformError(told)


def _said(error: Exception) -> str:
    return redact(str(error)) or type(error).__name__


def _values(action: HostAction) -> dict[str, str]:
    tenant = action.tenant
    return {
        "tenant": tenant.id, "region": tenant.region, "timezone": tenant.timezone, "ring": tenant.ring,
        "key": action.key, "attempt": action.attempt, "lease": action.lease, **action.values,
    }  # fmt: skip


def _check(path: Path, data: Mapping[str, object]) -> list[Problem]:
    """What the rule of a single key cannot see: a token in the clear, words that nothing fills in, GET that changes."""
    found: list[Problem] = []
    base = data.get("base")
    if isinstance(base, str) and "token" in data and _in_the_clear(base):
        found.append(Problem(str(path), "base", "must be https: the token would be sent in the clear", f'"{base}"'))
    for action in ACTIONS:
        table = data.get(action)
        request = table.get("request") if isinstance(table, dict) else None
        if not isinstance(request, str):
            continue
        key = f"{action}.request"
        found += unknown_placeholders(str(path), key, action, request)
        if action not in ("status", "backups") and request.startswith("GET "):
            found.append(Problem(str(path), key, "must not be GET: it changes something", f'"{request}"'))
    return found


def _in_the_clear(base: str) -> bool:
    parts = urlsplit(base)
    here = parts.hostname in ("localhost", "::1") or (parts.hostname or "").startswith("127.")
    return parts.scheme == "http" and not here


class HttpHosts:
    """Opens a platform by its file. Starts nothing: the hosts are there."""

    def foreseen(self, request: PlatformRequest) -> tuple[Inventory, tuple[str, ...]]:
        file = read_hosts(request.where, HttpHostsTable, _check)
        return inventory_of(file, request), file.table.series

    def open(self, request: PlatformRequest, series: Sequence[str], screen: Console) -> PlatformSite:
        file = read_hosts(request.where, HttpHostsTable, _check)
        return site_of(file, "http", HttpChannel(file), request)
