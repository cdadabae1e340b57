"""Certificates of the front door, and which of them is shown: the one that fits, unless a fault orders another.

They are signed by an authority of the estate's own, that nobody trusts who is not told to:

    SSL_CERT_FILE=~/.cache/ringgate/estates/demo/run/tls/authority.pem ringgate ...
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ringgate.estate.processes import write_atomically

FOLDER = "tls"
AUTHORITY = "authority.pem"
VALID, EXPIRED, OF_ANOTHER = "valid", "expired", "of-another"
HOST = "127.0.0.1"


def prepare(run: Path) -> None:
    """Makes what is not there yet: an authority, and certificates that fit, have expired, and name somebody else."""
    folder = run / FOLDER
    if (folder / AUTHORITY).is_file():
        return
    import trustme  # noqa: PLC0415 - it is used once in an estate's life

    ended = datetime.now(UTC) - timedelta(days=1)
    authority = trustme.CA(organization_name="Ringgate estate")
    made = {
        VALID: authority.issue_cert(HOST, "localhost"),
        EXPIRED: authority.issue_cert(HOST, not_before=ended - timedelta(days=90), not_after=ended),
        OF_ANOTHER: authority.issue_cert("erp.example"),
    }
    for name, certificate in made.items():
        write_atomically(folder / f"{name}.pem", certificate.private_key_and_cert_chain_pem.bytes().decode(), 0o600)
    write_atomically(folder / AUTHORITY, authority.cert_pem.bytes().decode())


def context(run: Path, chosen: Callable[[], str]) -> ssl.SSLContext:
    """Asks for each connection which certificate is to be shown."""
    contexts = {name: _context(run / FOLDER / f"{name}.pem") for name in (VALID, EXPIRED, OF_ANOTHER)}

    def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = contexts[chosen()]

    contexts[VALID].sni_callback = choose
    return contexts[VALID]


def _context(pem: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pem)
    return made
