"""What runs could not take back, and whether it was taken back since: what is left now, whoever asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, false, not_, or_, select, update

from ringgate.domain.events import RunRecovered
from ringgate.domain.labels import microseconds
from ringgate.domain.model import Residue, RunResult
from ringgate.domain.terms import ResidueCause
from ringgate.store import tables
from ringgate.store.database import upsert

_TABLE = tables.residue
_KEY = ("run_id", "verb", "marker")


def note_left(connection: Connection, results: Sequence[RunResult]) -> None:
    """What these runs left. Where their journals were taken up before they came to be known, that holds."""
    for result in results:
        if result.residue:
            taken_up = select(_TABLE.c.recovered_at).where(_TABLE.c.run_id == result.run_id, _TABLE.c.verb == "")
            recovered = connection.execute(taken_up).scalar()
            for each in result.residue:
                row = _row(each, microseconds(result.started_at)) | {"recovered_at": recovered}
                connection.execute(upsert(connection, _TABLE).values(**row).on_conflict_do_nothing())


def note_recovery(connection: Connection, event: RunRecovered) -> None:
    """The run's residue is taken back, but for what is left still."""
    at = microseconds(event.at)
    still = or_(false(), *(and_(_TABLE.c.verb == each.verb, _TABLE.c.marker == each.marker) for each in event.left))
    of_the_run = [_TABLE.c.run_id == event.run_id, _TABLE.c.recovered_at.is_(None)]
    connection.execute(update(_TABLE).where(*of_the_run, not_(still)).values(recovered_at=at))
    taken_up = Residue(event.tenant, event.run_id, "", "", "")
    rows = [_row(each, at) | {"recovered_at": None} for each in event.left]
    for row in [_row(taken_up, at) | {"recovered_at": at}, *rows]:
        new = upsert(connection, _TABLE).values(**row)
        again = {name: new.excluded[name] for name in ("reason", "cause", "recovered_at")}
        connection.execute(new.on_conflict_do_update(index_elements=list(_KEY), set_=again))


def left(connection: Connection) -> list[Residue]:
    """What is left now, oldest first."""
    columns = _TABLE.c
    query = select(_TABLE).where(columns.recovered_at.is_(None)).order_by(columns.left_at, columns.run_id)
    return [
        Residue(row.tenant, row.run_id, row.verb, row.marker, row.reason, ResidueCause(row.cause))
        for row in connection.execute(query)
    ]


def _row(each: Residue, at: int) -> dict[str, Any]:
    return {
        "run_id": each.run_id, "verb": each.verb, "marker": each.marker, "tenant": each.tenant,
        "reason": each.reason, "cause": each.cause.value, "left_at": at,
    }  # fmt: skip
