"""Tenants by TLS: each has a second port on the front door, with a certificate of the estate's own authority.

tenant = secured(estate, estate.tenant("aldgate"))      # https://127.0.0.1:8121/aldgate
os.environ["SSL_CERT_FILE"] = str(authority(estate))    # else nobody trusts it
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ringgate.domain.model import Tenant
from ringgate.estate.frontdoor import tls
from ringgate.estate.ports import SECURE

if TYPE_CHECKING:
    from ringgate.estate.estate import Estate


def secured(estate: Estate, tenant: Tenant) -> Tenant:
    """The tenant at its address for TLS. Raises EstateError if the estate has no such tenant."""
    port = estate.place(tenant.id).port
    plain, safe = f"http://{tls.HOST}:{port}/", f"https://{tls.HOST}:{port + SECURE}/"
    return replace(tenant, api=tenant.api.replace(plain, safe), web=tenant.web.replace(plain, safe))


def authority(estate: Estate) -> Path:
    """The certificate that a client must trust."""
    return estate.run / tls.FOLDER / tls.AUTHORITY
