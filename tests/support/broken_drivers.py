"""Two drivers that break their contracts on purpose, around a real one: what the conformance kit must catch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass, replace
from typing import Any

from ringgate.domain.documents import TimeEntry
from ringgate.domain.errors import Refused
from ringgate.domain.reversal import Reversal


class _Around:
    """Anything, with what it hands out wrapped by `wrap`."""

    def __init__(self, behind: Any) -> None:
        self._behind = behind

    def __getattr__(self, name: str) -> Any:
        return getattr(self._behind, name)


class EchoingDriver(_Around):
    """Its verbs return what they were given instead of what the ERP states, and a refusal passes for done."""

    def connect(self, *args: Any) -> Any:
        return _EchoingConnection(self._behind.connect(*args))


class _EchoingConnection(_Around):
    def sign_in(self, *args: Any, **how: Any) -> Any:
        return _EchoingUser(self._behind.sign_in(*args, **how))


class _EchoingUser(_Around):
    def __getattr__(self, name: str) -> Any:
        found = getattr(self._behind, name)
        return self._echoing(found) if callable(found) else found

    def _echoing(self, verb: Callable[..., Any]) -> Callable[..., Any]:
        def echo(*args: Any) -> Any:
            given = args[0] if args and is_dataclass(args[0]) and hasattr(args[0], "ref") else None
            try:
                done = verb(*args)
            except Refused:
                if given is None:
                    raise
                return given
            if given is None or type(done) is not type(given):
                return done
            return replace(given, state=done.state) if hasattr(given, "state") else given

        return echo


class ForgetfulDriver(_Around):
    """Undo says that it is done and does nothing, signing out ends nothing, and hours come as float.

    `forgotten` is what was to be undone, newest first, so that a test can have the real driver do it."""

    def __init__(self, behind: Any) -> None:
        super().__init__(behind)
        self.forgotten: list[Reversal] = []

    def connect(self, *args: Any) -> Any:
        return _ForgetfulConnection(self._behind.connect(*args), self.forgotten)


class _ForgetfulConnection(_Around):
    def __init__(self, behind: Any, forgotten: list[Reversal]) -> None:
        super().__init__(behind)
        self._forgotten = forgotten

    def sign_in(self, *args: Any, **how: Any) -> Any:
        return _ForgetfulUser(self._behind.sign_in(*args, **how))

    def undo(self, reversal: Reversal) -> str:
        self._forgotten.append(reversal)
        return "deleted"


class _ForgetfulUser(_Around):
    def sign_out(self) -> None:
        return None

    def enter_time(self, *args: Any) -> TimeEntry:
        done: TimeEntry = self._behind.enter_time(*args)
        return replace(done, hours=float(done.hours))  # type: ignore[arg-type]
