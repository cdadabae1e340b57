"""Whether a tenant can be used: signs in through the front door as a user would, and out again."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx

from ringgate.domain.errors import SecretMissing
from ringgate.domain.model import Role, Tenant
from ringgate.estate.tryton.series import Series
from ringgate.host.secrets import hide

READY = "ready"
PATIENCE = 60.0
"""Seconds that a tenant may take to answer; the first call after a start loads its definitions."""


def states(tenants: Mapping[str, Tenant], series: Mapping[str, Series]) -> dict[str, str]:
    """The state of each tenant, asked in parallel: `ready`, or why not."""
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda name: state(tenants[name], series[name]), tenants)
        return dict(zip(tenants, found, strict=True))


def _words(answer: httpx.Response) -> str:
    """What the server says went wrong, if it does: `: OperationalError, server closed the connection`."""
    told = answer.json().get("error") if answer.status_code == 200 else None
    words = [str(each) for each in told[:2]] if isinstance(told, list) else []
    return f": {', '.join(words)[:300]}" if words else ""


def state(tenant: Tenant, series: Series) -> str:
    """`ready` if the tenant's web page is there and its least-privileged user can sign in; else why not."""
    base = tenant.api.rpartition("/")[0]
    role = Role.AUDITOR if Role.AUDITOR in tenant.users else next(iter(tenant.users))
    user = tenant.users[role]
    try:
        with httpx.Client(base_url=base, timeout=PATIENCE, trust_env=False) as client:
            page = client.get("/")
            if page.status_code != 200:
                return f"web page answers {page.status_code}"
            path = series.rpc_path(tenant.id)
            login = [user.login, {"password": user.password.reveal()}, tenant.language]
            answer = client.post(path, json={"id": 1, "method": "common.db.login", "params": login})
            if answer.status_code != 200 or not answer.json().get("result"):
                return f"sign-in answers {answer.status_code}{_words(answer)}"
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
