"""The file that says which platform signals are read, and from where. Checked like the inventory: all mistakes at once.

interval = "1 min"

[[sources]]
name = "queue-backlog"
kind = "sql"
url = { env = "ERP_DATABASE_URL" }
query = "SELECT count(*) FROM ir_queue WHERE finished_at IS NULL"
limit = 100
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from jsonpath_ng import JSONPath
from jsonpath_ng.ext.parser import parse as parse_path
from pydantic import AfterValidator, Field, model_validator

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Tenant
from ringgate.domain.secrets import Secret
from ringgate.inventory.files import Problem, dotted, faults, read_layer
from ringgate.inventory.kinds import Duration, Slug, StrictTable, Url
from ringgate.inventory.secrets import SecretTable
from ringgate.inventory.tenants import reference

Kind = Literal["sql", "prometheus", "http-json"]
Resource = Literal["", "server", "queue", "locks", "connections", "disk", "processor", "memory"]
NEEDS: Mapping[str, tuple[str, ...]] = {
    "sql": ("url", "query"),
    "prometheus": ("address", "query"),
    "http-json": ("address", "path"),
}
"""What each kind of source must say; anything else of these keys is not for it."""
_QUERY = re.compile(r"(?:select|with|values|table)\b[^;]*;?", re.IGNORECASE | re.DOTALL)
_TO_FILE = re.compile(r"\binto\s+(outfile|dumpfile)\b", re.IGNORECASE)
LONGEST_NAME = 48
SLOWEST = timedelta(minutes=5)


class SignalsError(RinggateError):
    """The file is wrong; `problems` holds every reason, and the text lists them, one to a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def _path(value: str) -> str:
    try:
        parse_path(value)
    except Exception as error:  # the library's own errors share no class
        raise ValueError(f"must be a JSON path, such as $.queue.depth ({str(error).splitlines()[0]})") from None
    return value


def _short(value: str) -> str:
    if len(value) > LONGEST_NAME:
        raise ValueError(f"must have at most {LONGEST_NAME} characters")
    return value


def _often(value: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= value <= SLOWEST:
        raise ValueError("must be between 1 s and 5 min: an older value would say nothing about now")
    return value


class SourceTable(StrictTable):
    """One place that one signal is read from."""

    name: Annotated[Slug, AfterValidator(_short)] = Field(
        description="The signal's name, as metrics and gates know it.", examples=["queue-backlog"]
    )
    kind: Kind = Field(description="How it is read: sql, prometheus or http-json.", examples=["sql"])
    each: Literal["", "tenant"] = Field(
        "", description='"tenant": read once for each tenant; ${TENANT} stands for its id.', examples=["tenant"]
    )
    tenants: tuple[Slug, ...] = Field((), description="Only these, where each tenant is read.", examples=[["acme"]])
    ring: Slug | Literal[""] = Field("", description="The ring it is of, where it is of one.", examples=["canary"])
    url: SecretTable | None = Field(
        None,
        description="sql: where the database's URL is, for it holds a password.",
        examples=[{"env": "ERP_DATABASE_URL"}],
    )
    address: Url | None = Field(
        None, description="prometheus, http-json: where to ask.", examples=["http://prometheus:9090"]
    )
    token: SecretTable | None = Field(
        None, description="prometheus, http-json: the bearer token, by reference.", examples=[{"file": "~/token"}]
    )
    query: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="sql: one SELECT. prometheus: an expression.", examples=["SELECT count(*) FROM ir_queue"]
    )
    path: Annotated[str, AfterValidator(_path)] | None = Field(
        None, description="http-json: where the number stands.", examples=["$.queue.depth"]
    )
    resource: Resource = Field(
        "",
        description="What of the platform it measures; `ringgate load` names what gives way by it.",
        examples=["locks"],
    )
    unit: Annotated[str, Field(max_length=16)] = Field("", description="For people.", examples=["jobs"])
    limit: float | None = Field(
        None, allow_inf_nan=False, description="The value above which it is too much.", examples=[100]
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> SourceTable:
        keys = ("url", "address", "token", "query", "path")
        given = [key for key in keys if getattr(self, key) is not None]
        may = {*NEEDS[self.kind], *(() if self.kind == "sql" else ("token",))}
        wrong = [f"{self.kind} needs {key}" for key in NEEDS[self.kind] if key not in given]
        wrong += [f"{key} is not for {self.kind}" for key in given if key not in may]
        if self.kind == "sql" and self.query and not _QUERY.fullmatch(self.query.strip()):
            wrong.append("query must be one SELECT (or WITH), without a semicolon inside")
        if self.kind == "sql" and self.query and _TO_FILE.search(self.query):
            wrong.append("query must not write a file (INTO OUTFILE)")
        if self.each and self.ring:
            wrong.append("ring is not for what is read from each tenant: the inventory says it")
        if self.tenants and not self.each:
            wrong.append('tenants needs each = "tenant"')
        if wrong:
            raise ValueError("; ".join(wrong))
        return self


def _some(value: tuple[SourceTable, ...]) -> tuple[SourceTable, ...]:
    if not value:
        raise ValueError("must not be empty")
    return value


class SignalsTable(StrictTable):
    """The whole file."""

    interval: Annotated[Duration, AfterValidator(_often)] = Field(
        timedelta(minutes=1), description="How often all sources are read.", examples=["30 s"]
    )
    timeout: Annotated[Duration, AfterValidator(_often)] = Field(
        timedelta(seconds=10), description="How long one source may take.", examples=["5 s"]
    )
    sources: Annotated[tuple[SourceTable, ...], AfterValidator(_some)] = Field(description="What is read.")


@dataclass(frozen=True, slots=True)
class SignalReading:
    """One question to one place: what a source means for one tenant, or as a whole.

    `tenant` and `ring` are what its answer is of, unless the answer says so itself. `target` is a reference to the
    address, and `question` the query, or the path for JSON.
    """

    signal: str
    kind: str
    question: str
    target: Secret | str
    token: Secret | None = None
    tenant: str = ""
    ring: str = ""
    unit: str = ""
    limit: float | None = None
    resource: str = ""

    def path(self) -> JSONPath:
        return parse_path(self.question)


@dataclass(frozen=True, slots=True)
class Signals:
    """What is read, how often, and how long each may take. `readings` are grouped by signal."""

    interval: timedelta
    timeout: timedelta
    readings: tuple[SignalReading, ...]


def load(path: Path, tenants: Sequence[Tenant]) -> Signals:
    """Reads the file for these tenants. Raises SignalsError with every problem."""
    layer = read_layer(path)
    if isinstance(layer, Problem):
        raise SignalsError([layer])
    problems = [Problem(layer.file, dotted(at), rule, got) for at, rule, got, _ in faults(SignalsTable, layer.data)]
    problems += _cross_check(layer.file, layer.data, tenants)
    if problems:
        raise SignalsError(problems)
    table = SignalsTable.model_validate(layer.data)
    readings = [reading for source in table.sources for reading in _readings(source, tenants, path.parent.absolute())]
    return Signals(table.interval, table.timeout, tuple(readings))


def _cross_check(file: str, data: Mapping[str, Any], tenants: Sequence[Tenant]) -> list[Problem]:
    """What one source alone cannot see; on the raw values, so that other mistakes do not hide these."""
    problems, seen = [], set()
    sources = data.get("sources")
    known, rings = {each.id for each in tenants}, {each.ring for each in tenants}
    for number, source in enumerate(sources if isinstance(sources, list) else []):
        if not isinstance(source, dict):
            continue
        name, where = source.get("name"), f"sources[{number}]"
        if isinstance(name, str) and name in seen:
            problems.append(Problem(file, f"{where}.name", "is that of another source, too", json.dumps(name)))
        seen.add(name)
        ring = source.get("ring")
        if isinstance(ring, str) and ring and ring not in rings:
            problems.append(Problem(file, f"{where}.ring", "no tenant is in a ring of this name", json.dumps(ring)))
        listed = source.get("tenants")
        for index, tenant in enumerate(listed if isinstance(listed, list) else []):
            if isinstance(tenant, str) and tenant not in known:
                rule = "the inventory has no tenant of this name"
                problems.append(Problem(file, f"{where}.tenants[{index}]", rule, json.dumps(tenant)))
    return problems


def _readings(source: SourceTable, tenants: Sequence[Tenant], base: Path) -> list[SignalReading]:
    def one(tenant: str, ring: str) -> SignalReading:
        def filled(text: str) -> str:
            return text.replace("${TENANT}", tenant) if tenant else text

        target = reference(source.url, tenant, base) if source.url else filled(source.address or "")
        assert target
        return SignalReading(
            signal=source.name,
            kind=source.kind,
            question=filled(source.query or source.path or ""),
            target=target,
            token=reference(source.token, tenant, base) if source.token else None,
            tenant=tenant,
            ring=ring,
            unit=source.unit,
            limit=source.limit,
            resource=source.resource,
        )

    if not source.each:
        return [one("", source.ring)]
    return [one(each.id, each.ring) for each in tenants if not source.tenants or each.id in source.tenants]
