"""What happened around the runs: deployments, platform signals, counters, probers, and what followers added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from ringgate.domain.model import Deployment, SignalSample
from ringgate.store import tables
from ringgate.store.database import Database, upsert
from ringgate.store.rows import aware

CounterKey = tuple[str, str, str, str]
"""What is counted: a word, tenant, scenario, channel; "" where it does not apply."""


@dataclass(frozen=True, slots=True)
class ProberState:
    """A process that probes, as it last said of itself. Times are aware; `stopped_at` is None while it is meant to
    run, or after it was killed: then `seen_at` grows old."""

    id: str
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None = None
    detail: Mapping[str, Any] | None = None


class Notes(Database):
    """What a store keeps besides runs."""

    def deployed(self, deployment: Deployment) -> None:
        """Notes that a release reached a ring."""
        row = {**asdict(deployment), "at": deployment.at.astimezone(UTC), "tenants": list(deployment.tenants)}
        with self._writing() as connection:
            connection.execute(insert(tables.deployments).values(**row))

    def deployments(self, *, ring: str | None = None, since: datetime | None = None) -> list[Deployment]:
        """All that were noted, oldest first."""
        columns = tables.deployments.c
        query = select(tables.deployments).order_by(columns.at, columns.id)
        if ring is not None:
            query = query.where(columns.ring == ring)
        if since is not None:
            query = query.where(columns.at >= since.astimezone(UTC))
        with self._reading() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        return [Deployment(**{**row, "at": aware(row["at"]), "tenants": tuple(row["tenants"])}) for row in rows]

    def sampled(self, samples: Sequence[SignalSample]) -> None:
        """Keeps platform signals."""
        if samples:
            with self._writing() as connection:
                rows = [{**asdict(each), "at": each.at.astimezone(UTC)} for each in samples]
                connection.execute(insert(tables.samples), rows)

    def samples(self, *, since: datetime | None = None, signal: str | None = None) -> list[SignalSample]:
        """All that were kept, oldest first."""
        columns = tables.samples.c
        query = select(tables.samples).order_by(columns.at, columns.number)
        if since is not None:
            query = query.where(columns.at >= since.astimezone(UTC))
        if signal is not None:
            query = query.where(columns.signal == signal)
        with self._reading() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        return [
            SignalSample(**{k: v for k, v in row.items() if k != "number"} | {"at": aware(row["at"])}) for row in rows
        ]

    def count(self, counts: Mapping[CounterKey, int]) -> None:
        """Adds to counters: what was late, skipped or overlapping, for good and across processes."""
        keys = ("what", "tenant", "scenario", "channel")
        with self._writing() as connection:
            for counter, number in sorted(counts.items()):
                new = upsert(connection, tables.counters).values(**dict(zip(keys, counter, strict=True)), count=number)
                more = {"count": tables.counters.c.count + new.excluded.count}
                connection.execute(new.on_conflict_do_update(index_elements=list(keys), set_=more))

    def counters(self) -> dict[CounterKey, int]:
        columns = tables.counters.c
        query = select(columns.what, columns.tenant, columns.scenario, columns.channel, columns.count)
        with self._reading() as connection:
            return {(w, t, s, c): number for w, t, s, c, number in connection.execute(query)}

    def seen(self, prober: ProberState) -> None:
        """Notes what a prober says of itself; to be said again and again while it lives."""
        row = asdict(prober) | {"detail": dict(prober.detail or {})}
        for name in ("started_at", "seen_at", "stopped_at"):
            row[name] = row[name].astimezone(UTC) if row[name] else None
        with self._writing() as connection:
            new = upsert(connection, tables.probers).values(**row)
            again = {name: new.excluded[name] for name in row if name != "id"}
            connection.execute(new.on_conflict_do_update(index_elements=["id"], set_=again))

    def probers(self) -> list[ProberState]:
        """All that were ever seen, the last seen first."""
        query = select(tables.probers).order_by(tables.probers.c.seen_at.desc())
        with self._reading() as connection:
            rows = [dict(row._mapping) for row in connection.execute(query)]
        times = ("started_at", "seen_at", "stopped_at")
        return [ProberState(**row | {name: aware(row[name]) if row[name] else None for name in times}) for row in rows]

    def keep_figures(self, name: str, at: datetime, data: Mapping[str, Any]) -> None:
        """Keeps what a follower added up, instead of what it kept before."""
        with self._writing() as connection:
            new = upsert(connection, tables.figures).values(name=name, at=at.astimezone(UTC), data=dict(data))
            again = {"at": new.excluded.at, "data": new.excluded.data}
            connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=again))

    def figures(self, name: str) -> dict[str, Any] | None:
        """What was kept under this name last, or None."""
        query = select(tables.figures.c.data).where(tables.figures.c.name == name)
        with self._reading() as connection:
            found = connection.execute(query).scalar()
        return dict(found) if found is not None else None
