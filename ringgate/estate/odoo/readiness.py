"""Whether a tenant can be used: its page is there, and a user can sign in, as a program would."""

from __future__ import annotations

import httpx

from ringgate.domain.errors import SecretMissing
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel, Role
from ringgate.drivers.odoo.values import encode
from ringgate.estate.protocol import READY
from ringgate.host.secrets import hide

JSON = {"content-type": "application/json"}
TIMEOUT = 90.0
"""Seconds that a tenant may take to answer; the first call after a start loads its definitions."""


def state(tenant: Tenant, base: str) -> str:
    """`ready` if its least-privileged user can sign in at `base` and the log-in page is there; else why not."""
    role = Role.AUDITOR if Role.AUDITOR in tenant.users else next(iter(tenant.users))
    user = tenant.users[role]
    headers = {"host": f"{tenant.id}.localhost"}  # past the front door nobody else says whose database it is
    try:
        with httpx.Client(base_url=base, timeout=TIMEOUT, trust_env=False, headers=headers) as client:
            params = {"db": tenant.id, "login": user.login, "password": user.on(Channel.API).required_password()}
            body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
            answer = client.post("/web/session/authenticate", content=encode(body), headers=JSON)
            told = answer.json() if answer.status_code == 200 else {}
            if not (told.get("result") or {}).get("uid"):
                return f"sign-in answers {answer.status_code}{_reason(told)}"
            token = client.cookies.get("session_id") or ""
            hide(token)
            client.post("/web/session/destroy", json={"jsonrpc": "2.0", "method": "call", "id": 2, "params": {}})
            client.cookies.clear()
            page = client.get("/web/login")
            return READY if page.status_code == 200 else f"log-in page answers {page.status_code}"
    except SecretMissing:
        return f"the {role} has no password file"
    except (httpx.HTTPError, ValueError) as problem:
        return f"no answer ({type(problem).__name__})"


def _reason(told: dict[str, object]) -> str:
    error = told.get("error")
    data = error.get("data") if isinstance(error, dict) else None
    return f": {str(data.get('message'))[:200]}" if isinstance(data, dict) and data.get("message") else ""
