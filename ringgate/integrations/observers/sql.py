"""A far end in a database, such as a warehouse: one SELECT with `:marker`, and perhaps `:since`, gives its rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text

from ringgate.domain.integrations import Arrival, Integration
from ringgate.host import read_only
from ringgate.integrations.rows import ObserverError, arrivals

TIMEOUT = 10.0
MOST = 1_000


class SqlObserver:
    """`password` refers to the database's whole URL, for that holds a password; `query` names the columns."""

    def __init__(self, integration: Integration, /) -> None:
        self._integration = integration

    def seen(self, marker: str, since: datetime) -> Sequence[Arrival]:
        where = self._integration.password
        if where is None:
            raise ObserverError(f"{self._integration.name}: sql needs a password: the database's URL, by reference")
        query = self._integration.settings["query"]
        given = {"marker": marker, "since": since}
        named = {name: value for name, value in given.items() if re.search(rf"(?<!:):{name}\b", query)}
        try:
            with read_only.reading(where.reveal(), TIMEOUT) as connection:
                rows = connection.execute(text(query), named).mappings().fetchmany(MOST)
                return arrivals(self._integration, [dict(row) for row in rows], marker, since)
        except read_only.DatabaseUnreadable as error:
            raise ObserverError(f"{self._integration.name}: {where.reference}: {error}") from None

    def close(self) -> None:
        """Nothing stays open."""
