"""Odoo's JSON at the front door: the Host picks the database, the path or the payload names the method."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ringgate.estate.frontdoor.dialect import OwnAnswer, ProxiedRequest, SignIn, TrafficDialect

CALLS = ("/web/dataset/call_kw", "/web/dataset/call_button")
SIGN_IN = "/web/session/authenticate"
NOT_HERE = ("/web/database", "/jsonrpc", "/xmlrpc", "/websocket", "/longpolling")
"""What nobody needs at a tenant's address: the database manager (which answers although it is switched off), the old
interfaces that name a database in every call, and what would keep a connection open for each window."""


class OdooDialect:
    """Odoo 14.0 and 19.0."""

    def procedure(self, method: str, path: str, payload: Any) -> str:
        params = payload.get("params") if isinstance(payload, Mapping) else None
        if path.startswith(CALLS) and isinstance(params, Mapping):
            return f"{params.get('model')}.{params.get('method')}"
        if path.startswith("/json/2/"):
            return path.removeprefix("/json/2/").replace("/", ".")
        if path.startswith("/web/session/"):
            return f"session.{path.removeprefix('/web/session/').partition('/')[0]}"
        return ""

    def host(self, tenant: str) -> str:
        return f"{tenant}.localhost"

    def passed(self, request: ProxiedRequest, tenants: Collection[str]) -> str | OwnAnswer:
        """Whose database a request may name is for the ERP itself to say: it sees the Host. Series 14.0 lets who signs
        in name any of the server's."""
        params = request.payload.get("params") if isinstance(request.payload, Mapping) else None
        named = params.get("db") if isinstance(params, Mapping) and request.path.startswith(SIGN_IN) else None
        if request.path.startswith(NOT_HERE) or named not in (None, request.tenant):
            return OwnAnswer(404, b"Not offered at this address.")
        return request.path

    def own_answer(self, request: ProxiedRequest, series: str) -> OwnAnswer | None:
        return None

    def sign_in(self, request: ProxiedRequest, login: str, password: str) -> SignIn:
        params = {"db": request.tenant, "login": login, "password": password}
        return SignIn(SIGN_IN, {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params})

    def credentials(self, login: str, answer: Any, headers: Mapping[str, str]) -> Mapping[str, str]:
        return {"cookie": headers.get("set-cookie", "").partition(";")[0]}


if TYPE_CHECKING:
    _kept: TrafficDialect = OdooDialect()
