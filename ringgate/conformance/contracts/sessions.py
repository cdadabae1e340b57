"""Signing in and out, whose sessions are whose, and what counts as an outage."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

from ringgate.conformance.model import contract
from ringgate.conformance.requirements import ContractBroken, require, same
from ringgate.conformance.trial import Trial
from ringgate.domain.credentials import Account, Credentials
from ringgate.domain.errors import ErpUnavailable, RinggateError, SignInRefused
from ringgate.domain.terms import Capability
from ringgate.host.secrets import ReadSecret


@contract("sign-in", Capability.SIGN_IN)
def sign_in(trial: Trial) -> None:
    """Whoever signs in is the user that the inventory names, with a company and a language as the ERP has them."""
    for role in trial.tenant.users:
        who = trial.connection.sign_in(role).who_am_i()
        same(who.login, trial.login_of(role), f"the login of the {role.value}")
        require(bool(who.company), f"who_am_i of the {role.value} states no company")
        require(bool(who.language), f"who_am_i of the {role.value} states no language")


@contract("wrong-password", Capability.SIGN_IN)
def wrong_password(trial: Trial) -> None:
    """A password that was given and is wrong raises Refused, and signs nobody in."""
    role = trial.who()
    trial.refused("sign_in", lambda: trial.connection.sign_in(role, password=trial.make.wrong_password()))


@contract("credentials-not-accepted", Capability.SIGN_IN)
def credentials_not_accepted(trial: Trial) -> None:
    """The inventory's own credentials, not accepted, raise SignInRefused: nobody had said that they are wrong."""
    role = trial.who()
    wrong, login = _Given(trial.make.wrong_password()), trial.login_of(role)
    account = Account(login, wrong, {trial.driver.channel: Credentials(login, wrong)})
    stranger = replace(trial.tenant, users={role: account})
    try:
        trial.connect(stranger).sign_in(role, fresh=True)
    except SignInRefused:
        return
    except RinggateError as error:
        raise ContractBroken(f"it raised {type(error).__name__} instead of SignInRefused: {error}") from error
    raise ContractBroken("a wrong password in the inventory was accepted")


@dataclass(frozen=True, slots=True)
class _Given(ReadSecret):
    """A password that is made up here."""

    value: str

    @property
    def reference(self) -> str:
        return "a password that nobody has"

    def _read(self) -> str:
        return self.value


@contract("sign-out-ends", Capability.SIGN_IN)
def sign_out_ends(trial: Trial) -> None:
    """After sign_out every verb meets the ERP's refusal, and the session is not renewed."""
    user = trial.connection.sign_in(trial.who(), fresh=True)
    user.who_am_i()
    user.sign_out()
    trial.refused("who_am_i", user.who_am_i)
    trial.refused("who_am_i", user.who_am_i)


@contract("fresh-sessions", Capability.SIGN_IN)
def fresh_sessions(trial: Trial) -> None:
    """A fresh sign-in is a session of its own: ending it ends no other of the same user."""
    role = trial.who()
    shared, one, other = (trial.connection.sign_in(role, fresh=fresh) for fresh in (False, True, True))
    one.sign_out()
    for name, user in (("another fresh", other), ("the shared", shared)):
        _still_there(user.who_am_i, f"signing out one fresh session ended {name} one, too")


@contract("close-ends-its-own", Capability.SIGN_IN)
def close_ends_its_own(trial: Trial) -> None:
    """Closing a connection leaves another connection's users signed in."""
    role, other = trial.who(), trial.connect()
    user = trial.connection.sign_in(role)
    other.sign_in(role).who_am_i()
    other.close()
    _still_there(user.who_am_i, "closing one connection signed out the user of another")


def _still_there(ask: object, otherwise: str) -> None:
    try:
        ask()  # type: ignore[operator]
    except RinggateError as error:
        raise ContractBroken(f"{otherwise}: {error}") from error


@contract("outage", Capability.SIGN_IN)
def outage(trial: Trial) -> None:
    """Where nobody answers, ErpUnavailable is raised: the tenant cannot be used, which is the ERP's matter."""
    with _nobody_listens() as address:
        away = replace(trial.tenant, api=_moved(trial.tenant.api, address), web=_moved(trial.tenant.web, address))
        try:
            trial.connect(away).sign_in(trial.who(), fresh=True)
        except ErpUnavailable:
            return
        except RinggateError as error:
            raise ContractBroken(f"it raised {type(error).__name__} instead of ErpUnavailable: {error}") from error
    raise ContractBroken("a user was signed in where nobody listens")


@contextmanager
def _nobody_listens() -> Iterator[str]:
    """An address of this machine that is held, so that nobody else takes it, and not listened to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


def _moved(url: str, address: str) -> str:
    return urlunsplit(urlsplit(url)._replace(scheme="http", netloc=address)) if url else ""


@contract("calls-and-touches", Capability.SIGN_IN)
def calls_and_touches(trial: Trial) -> None:
    """`calls` counts every request; `touched` grows with what is called, each as `role call method` or
    `role read|write model field`."""
    before = trial.connection.calls
    trial.connection.sign_in(trial.who(), fresh=True).who_am_i()
    require(trial.connection.calls > before, "`calls` did not grow by a sign-in and a question")
    touched = trial.connection.touched
    require(bool(touched), "`touched` is empty after a question")
    for each in touched:
        role, _, rest = each.partition(" ")
        verb, _, what = rest.partition(" ")
        wrong = role not in {r.value for r in trial.tenant.users} or verb not in ("call", "read", "write") or not what
        require(not wrong, f"touched holds {each!r}: it is `role call method` or `role read|write model field`")
        require(verb == "call" or len(what.split(" ")) == 2, f"touched holds {each!r}: model and field are two words")
