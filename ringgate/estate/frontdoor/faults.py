"""Network faults as rules: which request, and what happens to it. The first rule that fits a request is applied."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import random
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ringgate.estate.frontdoor.dialect import ProxiedRequest
from ringgate.estate.processes import write_atomically

FILE = "faults.json"
LOG = "faults.jsonl"
ACTIONS = (
    "status", "truncate", "garbage", "close", "replace", "answer", "lend", "cache", "stale", "serve", "crossing",
    "certificate",
)  # fmt: skip


class NetworkFault(BaseModel):
    """One rule. What is left empty fits every request; regular expressions are searched for, not matched whole.

    Fits: `tenant` by id; `method`, `path` of HTTP; `rpc`, the name of the called procedure; `where`, from a dotted
    place in the request's JSON to an expression for its text ({"params.0": "accountant"}).
    How often: with `probability`, after `skip` fitting requests, at most `times` times.
    What: `delay` seconds, alone or before one of: `status` (answered instead of the ERP, with `text`), `truncate` (the
    ERP's answer ends after so many bytes), `garbage` (an answer that is no JSON), `close` (the connection, `before` the
    ERP saw the request or `after` it was carried out), `replace` (values at dotted places in the request's JSON),
    `answer` (a result given instead of the ERP's), `lend` (what the ERP refuses with 401 is repeated in the name of the
    user with this login and password), `cache` (what the tenant of this id was answered is given to all who ask the
    same), `stale` (what was answered once is answered to the same question for ever), `serve` (a script given instead
    of the web client's file), `crossing` (paths of other tenants are let through), `certificate` (who comes by TLS is
    shown one that has `expired`, or is `of-another`; requests themselves are left alone).
    Since: the generation in which it was set, by which one that stays is told from one that was set anew.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: str = ""
    method: str = ""
    path: str = ""
    rpc: str = ""
    where: Mapping[str, str] = {}
    probability: float = Field(1.0, gt=0, le=1)
    skip: int = Field(0, ge=0)
    times: int | None = Field(None, ge=1)
    delay: float = Field(0.0, ge=0, le=600)
    status: int | None = Field(None, ge=400, le=599)
    truncate: int | None = Field(None, ge=0)
    garbage: bool = False
    close: Literal["before", "after"] | None = None
    replace: Mapping[str, Any] = {}
    text: str = "Injected fault."
    answer: Any = None
    lend: tuple[str, str] | None = None
    cache: str = ""
    stale: bool = False
    serve: str = ""
    crossing: bool = False
    certificate: Literal["expired", "of-another"] | None = None
    since: str = ""

    @field_validator("method", "path", "rpc")
    @classmethod
    def _expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as problem:
            raise ValueError(f"must be a regular expression ({problem})") from None
        return value

    @model_validator(mode="after")
    def _one_action(self) -> NetworkFault:
        if len(self._actions) > 1 or not (self._actions or self.delay):
            raise ValueError(f"needs a delay or exactly one of {', '.join(ACTIONS)}")
        return self

    @property
    def _actions(self) -> list[str]:
        return [name for name in ACTIONS if getattr(self, name) not in (None, False, "", {})]

    @property
    def action(self) -> str:
        """What it does, in a word."""
        done = next(iter(self._actions), "delay")
        return f"cache of {self.cache}" if done == "cache" else done


class FaultFile(BaseModel):
    """What lies in `faults.json`. A new `generation` starts all counting anew."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    generation: str = ""
    rules: tuple[NetworkFault, ...] = ()


class Injector:
    """Picks the rule for a request and keeps count. Lives in the front door's process."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._generation = ""
        self._met: dict[int, int] = {}
        self._done: dict[int, int] = {}

    def pick(self, file: FaultFile, call: ProxiedRequest) -> NetworkFault | None:
        """The rule to apply to this request, which is then counted and logged, or None."""
        if file.generation != self._generation:
            self._generation, self._met, self._done = file.generation, {}, {}
        for index, rule in enumerate(file.rules):
            if not fits(rule, call):
                continue
            met = self._met[index] = self._met.get(index, 0) + 1
            done = self._done.get(index, 0)
            if met <= rule.skip or (rule.times is not None and done >= rule.times) or random() > rule.probability:  # noqa: S311
                continue
            self._done[index] = done + 1
            self._note(index, rule, call)
            return rule
        return None

    def _note(self, index: int, rule: NetworkFault, call: ProxiedRequest) -> None:
        what = {"tenant": call.tenant, "rpc": call.rpc, "path": call.path, "action": rule.action, "rule": index}
        with self._log.open("a") as log:
            log.write(json.dumps({"generation": self._generation, **what}) + "\n")


def fits(rule: NetworkFault, call: ProxiedRequest) -> bool:
    """Whether a rule speaks of this request."""
    if rule.certificate or (rule.tenant and rule.tenant != call.tenant):
        return False
    if not re.search(rule.method, call.method) or not re.search(rule.path, call.path):
        return False
    if rule.rpc and not (call.rpc and re.search(rule.rpc, call.rpc)):
        return False
    return all(re.search(wanted, str(look(call.payload, place))) for place, wanted in rule.where.items())


def look(payload: Any, place: str) -> Any:
    """The value at a dotted place (`params.1.password`), "" where there is none."""
    for part in place.split("."):
        try:
            payload = payload[int(part)] if isinstance(payload, list) else payload[part]
        except (KeyError, IndexError, TypeError, ValueError):
            return ""
    return payload


def replaced(payload: Any, changes: Mapping[str, Any]) -> Any:
    """A copy of `payload` with other values at dotted places that exist in it."""
    payload = json.loads(json.dumps(payload))
    for place, value in changes.items():
        *way, last = place.split(".")
        inner = look(payload, ".".join(way)) if way else payload
        if isinstance(inner, list) and last.isdigit() and int(last) < len(inner):
            inner[int(last)] = value
        elif isinstance(inner, dict) and last in inner:
            inner[last] = value
    return payload


@dataclass(frozen=True, slots=True)
class FaultControl:
    """Sets and lifts the faults of one estate; in force for every request that comes after the call returns."""

    run_folder: Path
    log_folder: Path

    def set(self, rules: Sequence[NetworkFault | Mapping[str, Any]]) -> None:
        """Replaces all rules. The file may hold a password (`replace`), so only its owner may read it."""
        checked = tuple(rule if isinstance(rule, NetworkFault) else NetworkFault.model_validate(rule) for rule in rules)
        now = secrets.token_hex(4)
        since = tuple(rule if rule.since else rule.model_copy(update={"since": now}) for rule in checked)
        file = FaultFile(generation=now, rules=since)
        write_atomically(self.run_folder / FILE, file.model_dump_json(), mode=0o600)

    def clear(self) -> None:
        self.set([])

    @contextmanager
    def during(self, *rules: NetworkFault) -> Iterator[FaultControl]:
        """Faults for the length of a `with` block."""
        self.set(rules)
        try:
            yield self
        finally:
            self.clear()

    def hits(self) -> list[dict[str, Any]]:
        """The requests that the present rules were applied to, oldest first: tenant, rpc, path, action, rule."""
        try:
            now = FaultFile.model_validate_json((self.run_folder / FILE).read_text()).generation
            lines = (self.log_folder / LOG).read_text().splitlines()
        except FileNotFoundError:
            return []
        return [hit for hit in map(json.loads, lines) if hit.pop("generation") == now]
