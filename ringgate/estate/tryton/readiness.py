"""Whether a tenant can be used: signs in as a user would, and out again."""

from __future__ import annotations

from base64 import b64encode

import httpx

from ringgate.domain.errors import SecretMissing
from ringgate.domain.model import Tenant
from ringgate.domain.terms import Channel, Role
from ringgate.estate.protocol import READY
from ringgate.estate.tryton.series import Series
from ringgate.host.secrets import hide

TIMEOUT = 60.0
"""Seconds that a tenant may take to answer; the first call after a start loads its definitions."""


def state(tenant: Tenant, series: Series, base: str) -> str:
    """`ready` if the web page is there and the tenant's least-privileged user can sign in at `base`; else why not."""
    role = Role.AUDITOR if Role.AUDITOR in tenant.users else next(iter(tenant.users))
    user = tenant.users[role]
    try:
        with httpx.Client(base_url=base, timeout=TIMEOUT, trust_env=False) as client:
            page = client.get("/")
            if page.status_code != 200:
                return f"web page answers {page.status_code}"
            path = series.rpc_path(tenant.id)
            login = [user.login, {"password": user.on(Channel.API).reveal_password()}, tenant.language]
            answer = client.post(path, json={"id": 1, "method": "common.db.login", "params": login})
            if answer.status_code != 200 or not answer.json().get("result"):
                return f"sign-in answers {answer.status_code}{_reason(answer)}"
            number, session = answer.json()["result"][:2]
            hide(session)
            token = b64encode(f"{user.login}:{number}:{session}".encode()).decode()
            headers = {"authorization": f"Session {token}"}
            client.post(path, json={"id": 2, "method": "common.db.logout", "params": []}, headers=headers)
            return READY
    except SecretMissing:
        return f"the {role} has no password file"
    except (httpx.HTTPError, ValueError) as problem:
        return f"no answer ({type(problem).__name__})"


def _reason(answer: httpx.Response) -> str:
    """What the server says went wrong, if it does: `: OperationalError, server closed the connection`."""
    error = answer.json().get("error") if answer.status_code == 200 else None
    words = [str(each) for each in error[:2]] if isinstance(error, list) else []
    return f": {', '.join(words)[:300]}" if words else ""
