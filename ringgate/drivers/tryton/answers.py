"""What an answer of Tryton's server means: a result, or whose fault it is that there is none.

| what came back                                           | raised                          |
|----------------------------------------------------------|---------------------------------|
| connection refused or reset, time-out, 404, 5xx, expired certificate | `ErpUnavailable`    |
| name does not resolve, no route, wrong TLS name, proxy   | `NoRoute`                       |
| 401 on login / on a call                                 | `SignInRefused` / `SessionEnded` |
| 429                                                      | `Throttled`                     |
| truncated or malformed answer, another HTTP code         | `ErpProtocolError`              |
| 405: a server of another series than negotiated          | `WrongSeries`                   |
| 200 with UserError, UserWarning, ConcurrencyException ...| `BusinessError` (driver: `Refused`) |
| 200 with any other exception of the server, 403          | `ErpMisbehaved`                 |
"""

from __future__ import annotations

from typing import Any, Final

import httpx

from ringgate.domain.errors import ErpError, ErpMisbehaved, ErpProtocolError, ErpUnavailable, Throttled
from ringgate.drivers.tryton.values import decode

BUSINESS_KINDS: Final = frozenset({"UserError", "UserWarning", "ConcurrencyException", "LoginException"})


class SessionEnded(ErpError):
    """The server no longer knows our session (401 on a call). The driver renews it once, then gives up."""

    kind = "session"


class HttpFailure(ErpUnavailable):
    """The server, or something in front of it, answered with HTTP 404 or 5xx: `status` says which."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class WrongSeries(ErpProtocolError):
    """The server does not take calls where the negotiated series does (HTTP 405): it may have been upgraded."""


class BusinessError(ErpError):
    """The server answered 200 with a business error.

    `error_kind` is Tryton's own word ("UserError", "UserWarning", ...), `message` and `detail` are for people,
    `warning` is the name to give to `RpcClient.confirm`, "" for anything but a UserWarning, and `method` what was
    called, "" if it was not the server that said so.
    """

    kind = "business"

    def __init__(self, error_kind: str, message: str, detail: str = "", warning: str = "", method: str = "") -> None:
        super().__init__(f"{message} {detail}".strip() if detail else message)
        self.method = method
        self.error_kind = error_kind
        self.message = message
        self.detail = detail
        self.warning = warning


class RpcAnswer:
    """What an answer says: a `result`, or the `error` that it means. Its `repr` shows neither."""

    __slots__ = ("error", "result")

    def __init__(self, response: httpx.Response, asked: int, base: str, method: str) -> None:
        self.result: Any = None
        self.error = self._read(response, asked, base, method)

    def _read(self, response: httpx.Response, asked: int, base: str, method: str) -> Exception | None:
        if response.status_code != 200:
            return _status_error(response.status_code, base, method)
        try:
            answer = decode(response.content)
        except ValueError:  # which holds the answer
            return ErpProtocolError(f"The answer of {base} to {method} is not the JSON of Tryton.")
        if not isinstance(answer, dict) or answer.get("id") != asked:
            return ErpProtocolError(f"The answer of {base} to {method} is not an answer to our question.")
        if "error" in answer:
            return _answer_error(answer["error"], method)
        if "result" not in answer:
            return ErpProtocolError(f"The answer of {base} to {method} has neither result nor error.")
        self.result = answer["result"]
        return None


def _status_error(status: int, base: str, method: str) -> Exception:
    """What an HTTP code other than 200 means."""
    known: dict[int, Exception] = {
        401: SessionEnded(f"{base} no longer knows our session."),
        403: ErpMisbehaved(f"{base} does not offer {method} to us (HTTP 403)."),
        404: HttpFailure(f"{base} does not serve this database (HTTP 404).", status),
        405: WrongSeries(f"{base} does not take calls where this series of Tryton takes them (HTTP 405)."),
        429: Throttled(f"{base} says that we ask too often (HTTP 429)."),
    }
    if status in known:
        return known[status]
    if status >= 500:
        return HttpFailure(f"{base} answered {method} with HTTP {status}.", status)
    return ErpProtocolError(f"{base} answered {method} with HTTP {status}.")


def _answer_error(error: Any, method: str) -> Exception:
    """What the `error` of a 200 answer means: a business error by its name, anything else is a fault of the server."""
    if not isinstance(error, list) or not error:
        return ErpProtocolError(f"The error that answers {method} has not the shape that Tryton sends.")
    kind, args = error[0], error[1] if len(error) > 1 else ()
    if kind not in BUSINESS_KINDS:
        first_line = str(kind).strip().partition("\n")[0][:200] or "it does not say how"
        return ErpMisbehaved(f"The server failed inside {method}: {first_line}")
    words = [str(a or "") for a in args] if isinstance(args, list) else [str(args)]
    words += [""] * (3 - len(words))
    if kind == "UserWarning":
        return BusinessError(kind, words[1], words[2], warning=words[0], method=method)
    if kind == "LoginException":
        return BusinessError(kind, words[1], method=method)
    return BusinessError(kind, words[0], words[1], method=method)
