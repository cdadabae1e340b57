"""What can go wrong on the way to an ERP, told apart by whose fault it is.

A scenario's run becomes `failed` when the ERP is wrong and `broken` when our side is. The class of the error that
ended it decides, never the wording of a message:

| class               | meaning                                                         | outcome |
|---------------------|-----------------------------------------------------------------|---------|
| `Refused`           | the ERP said no to a business verb (rule, right, state)           | failed, unless expected |
| `ErpUnavailable`    | nobody answers, time-out, HTTP 5xx, expired certificate           | failed  |
| `ErpProtocolError`  | an answer that cannot be understood: truncated, malformed         | failed  |
| `SignInRefused`     | right credentials were not accepted, or the session keeps dying   | failed  |
| `IntegrationFailed` | what left it arrived wrong, or too late (`IntegrationLate`)       | failed  |
| `ErpMisbehaved`     | the ERP answered, and its answer contradicts the contract         | failed  |
| `StopRequested`     | we were asked to stop (SIGTERM, SIGINT) before the run's end       | stopped |
| `OurSideError`      | secret missing, no route, wrong TLS name, throttled, no browser   | broken  |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringgate.domain.terms import Basis, Invariant


class RinggateError(Exception):
    """Root of everything Ringgate raises on purpose. `str(error)` is one clear sentence without secrets."""

    kind = "ringgate"


class ErpError(RinggateError):
    """The ERP is wrong: the run that meets it is `failed`. `kind` is a stable word for metrics and reports."""

    kind = "erp"


class ErpUnavailable(ErpError):
    """Connection refused, time-out, HTTP 5xx, expired certificate: the tenant cannot be used."""

    kind = "unavailable"


class ErpTimedOut(ErpUnavailable):
    """No answer came within the time limit. Who was slow is not known: the ERP, the way there, or a busy machine."""

    kind = "timed-out"


class ErpProtocolError(ErpError):
    """The answer is truncated or malformed, or of a shape no supported series sends."""

    kind = "protocol"


class SignInRefused(ErpError):
    """The credentials of the inventory were not accepted, or a renewed session ended again."""

    kind = "sign-in"


class ErpMisbehaved(ErpError):
    """The ERP answered understandably, but against its own contract (a created record that cannot be read)."""

    kind = "misbehaved"


class Refused(ErpError):
    """The ERP did not do what a verb asked, by rule, right or state.

    `verb` is the protocol's verb, `reason` the ERP's own words (for people, never matched against), `state` the
    record's state as read back after the refusal, "" where there is no record. `basis` is what it rests on, as far
    as the driver could tell from what it saw; `Connection.basis_of` may find out more.
    """

    kind = "refused"

    def __init__(self, verb: str, reason: str, state: str = "", basis: Basis | None = None) -> None:
        super().__init__(f"{verb} was refused: {reason}" + (f" (state read back: {state})" if state else ""))
        self.verb = verb
        self.reason = reason
        self.state = state
        self.basis = basis


class IntegrationFailed(ErpError):
    """What left the ERP arrived wrong at an integration, or what was taken back did not arrive as such."""

    kind = "integration"

    def __init__(self, message: str, invariant: Invariant | None = None) -> None:
        super().__init__(message)
        self.invariant = invariant


class IntegrationLate(ErpTimedOut):
    """It did not arrive in time; who was slow is not known: the ERP, what connects it, or a busy machine."""

    kind = "integration-late"


class NeverSent(RinggateError):
    """Besides what else it is: what was asked for was not sent, so nothing can come of it any more."""


class OurSideError(RinggateError):
    """Our side is at fault: the run that meets it is `broken`, which is no evidence against the ERP."""

    kind = "our-side"


class StopRequested(OurSideError, NeverSent):
    """We were asked to stop while something was under way. A run that ends with it is `stopped`, and no evidence."""

    kind = "stopped"


class SecretMissing(OurSideError):
    """A secret reference does not resolve; the message names the reference, never a value."""

    kind = "secret"


class SecretWithheld(SecretMissing):
    """The tenant may not be called from here: this process has another residency, and gets no secret of it."""

    kind = "residency"


class NoRoute(OurSideError):
    """The host name does not resolve, the network has no route, or the TLS name is another's."""

    kind = "no-route"


class Throttled(OurSideError):
    """HTTP 429: we ask too often."""

    kind = "throttled"


class BrowserError(OurSideError):
    """The browser would not start, or crashed."""

    kind = "browser"
