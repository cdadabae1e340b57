"""What the front door needs to know about an ERP's requests. Its process loads the class that the estate's kind names.

A dialect keeps no state and does no I/O; what it imports should be little, for the front door is started often.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast


@dataclass(frozen=True, slots=True)
class ProxiedRequest:
    """A request as the dialect and the rules see it. `path` has no query, `payload` is its decoded JSON if it has any.

    `rpc` is the name of the procedure that is called, "" if there is none.
    """

    tenant: str
    method: str
    path: str
    payload: Any = None
    rpc: str = ""


@dataclass(frozen=True, slots=True)
class OwnAnswer:
    """What the front door answers by itself."""

    status: int
    content: bytes
    content_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class SignIn:
    """A call that signs a user in: POST `payload` as JSON to `path`."""

    path: str
    payload: Any


class TrafficDialect(Protocol):
    """How requests of one ERP are read and kept to their tenant."""

    def procedure(self, method: str, path: str, payload: Any) -> str: ...

    # The name that fault rules know a call by ("model.account.invoice.post"), "" where no procedure is called.

    def host(self, tenant: str) -> str: ...

    # The Host that the ERP's server is to see, "" for what the client sent.

    def passed(self, request: ProxiedRequest, tenants: Collection[str]) -> str | OwnAnswer: ...

    # The path to be passed on, or a refusal: a tenant's address leads to this tenant, and nobody learns of others.

    def own_answer(self, request: ProxiedRequest, series: str) -> OwnAnswer | None: ...

    # What the server must not be asked at all.

    # For a fault in which the front door acts in a user's name: how that user signs in, and the headers that a
    # request carries from then on, made from the answer's decoded JSON and headers (names in lower case).
    def sign_in(self, request: ProxiedRequest, login: str, password: str) -> SignIn: ...
    def credentials(self, login: str, answer: Any, headers: Mapping[str, str]) -> Mapping[str, str]: ...


def load_dialect(reference: str) -> TrafficDialect:
    """The dialect that "package.module:Class" names."""
    module, _, name = reference.partition(":")
    return cast("TrafficDialect", getattr(import_module(module), name)())
