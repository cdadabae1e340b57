"""Tryton's JSON-RPC at the front door: the first part of a path is the database, the method stands in the JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ringgate.estate.frontdoor.dialect import OwnAnswer, ProxiedRequest, SignIn, TrafficDialect
from ringgate.estate.tryton.series import SERIES

SHARED = ("", "rpc")
"""First parts of paths that are no tenant's: calls without a database."""

NOBODY = "no-such-tenant"


class TrytonDialect:
    """Tryton 7.0 and 8.0."""

    def procedure(self, method: str, path: str, payload: Any) -> str:
        name = payload.get("method") if isinstance(payload, dict) else None
        return name if isinstance(name, str) else ""

    def host(self, tenant: str) -> str:
        return ""

    def passed(self, request: ProxiedRequest, tenants: Collection[str]) -> str | OwnAnswer:
        """Calls are refused for any other name, whether it is a tenant's or not.

        A page may be a file of the web client, so that names of tenants are passed on as a name that nobody has.
        """
        first = request.path.split("/")[1] if request.path.startswith("/") else ""
        if first in (request.tenant, *SHARED):
            return request.path
        if request.method not in ("GET", "HEAD"):
            return OwnAnswer(404, b"No such tenant at this address.")
        return request.path.replace(first, NOBODY, 1) if first in tenants else request.path

    def own_answer(self, request: ProxiedRequest, series: str) -> OwnAnswer | None:
        """The list of databases: it has the tenant alone."""
        if request.path != SERIES[series].root_rpc or request.rpc != "common.db.list":
            return None
        listed = json.dumps({"id": request.payload.get("id"), "result": [request.tenant]})
        return OwnAnswer(200, listed.encode(), "application/json")

    def sign_in(self, request: ProxiedRequest, login: str, password: str) -> SignIn:
        call = {"id": 1, "method": "common.db.login", "params": [login, {"password": password}, "en"]}
        return SignIn(request.path, call)

    def credentials(self, login: str, answer: Any, headers: Mapping[str, str]) -> Mapping[str, str]:
        """What a user who signed in may show as Authorization from then on, as the web client does it."""
        user, token = answer["result"][:2]
        return {"authorization": "Session " + base64.b64encode(f"{login}:{user}:{token}".encode()).decode()}


if TYPE_CHECKING:
    _kept: TrafficDialect = TrytonDialect()
