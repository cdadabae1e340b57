"""A far end with an HTTP API that answers in JSON: a CRM, a catcher of webhooks or mail. It is asked by GET alone."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
from jsonpath_ng.ext.parser import parse

from ringgate.domain.integrations import Arrival, Integration
from ringgate.integrations.rows import ObserverError, Row, arrivals

TIMEOUT = 10.0
LARGEST = 5_000_000
"""Bytes of one answer."""


class JsonObserver:
    """`address` may hold `${MARKER}` and `${SINCE}` (UTC, ISO 8601). `rows` is a JSONPath to the list of documents;
    what `fields` names is a key of one, or a JSONPath within it. `key` is a bearer token."""

    def __init__(self, integration: Integration, /) -> None:
        self._integration = integration
        self._paths = {path: parse(path) for path in {*integration.fields.values()} if path.startswith("$")}
        self._rows = parse(integration.settings.get("rows", "$[*]"))

    def seen(self, marker: str, since: datetime) -> Sequence[Arrival]:
        found = [match.value for match in self._rows.find(self._answer(marker, since))]
        return arrivals(self._integration, map(self._row, found), marker, since)

    def _row(self, value: Any) -> Row:
        row: dict[str, Any] = dict(value) if isinstance(value, Mapping) else {}
        for path, parsed in self._paths.items():
            matches = [match.value for match in parsed.find(value)]
            row[path] = matches[0] if len(matches) == 1 else json.dumps(matches) if matches else None
        return row

    def _answer(self, marker: str, since: datetime) -> Any:
        told = self._integration
        address = told.address.replace("${MARKER}", marker).replace(
            "${SINCE}", f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        )
        headers = {"accept": "application/json"}
        if told.key is not None:
            headers["authorization"] = f"Bearer {told.key.reveal()}"
        try:
            with httpx.stream("GET", address, headers=headers, timeout=TIMEOUT, follow_redirects=False) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise ObserverError(f"{told.name}: the far end answers with HTTP {answer.status_code}")
                body = b""
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > LARGEST:
                        raise ObserverError(f"{told.name}: the far end's answer is larger than {LARGEST:,} bytes")
            return json.loads(body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ObserverError(f"{told.name}: the far end cannot be asked: {type(error).__name__} {error}") from None
        except ValueError:
            raise ObserverError(f"{told.name}: the far end's answer is no JSON") from None

    def close(self) -> None:
        """Nothing stays open."""
