"""What the ERP's own log says about a run: the lines that carry its marker or its trace id.

    lines_about(tenant.erp_log, values)      # ["2026-11-28 ERROR ... RG-abc..."]; raises ErpLogUnreadable

A file is read from its end backwards, a program is run without a shell, an address is asked by GET.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path

from ringgate.domain.diagnostics import ErpLog, filled
from ringgate.domain.errors import OurSideError

TIMEOUT = 10.0
"""Seconds for a program or an address."""
LARGEST = 4_000_000
"""Bytes that are looked through: of a file, the last."""
LINES, LONGEST = 40, 1_000
"""Lines that are kept, and characters of each."""


class ErpLogUnreadable(OurSideError):
    """The log could not be read, and why."""

    kind = "erp-log"


def lines_about(log: ErpLog, values: Mapping[str, str]) -> list[str]:
    """At most `LINES` of them, the first ones; `values` are those of `domain.diagnostics`. Raises ErpLogUnreadable."""
    wanted = (values["run_id"], values["trace_id"])  # the marker holds the run's id
    found = (line for line in _lines(log, values) if any(each in line for each in wanted))
    return [line.strip()[:LONGEST] for line in islice(found, LINES)]


def _lines(log: ErpLog, values: Mapping[str, str]) -> Iterable[str]:
    if log.file:
        return _text(_file(Path(log.file))).splitlines()
    if log.command:
        return _text(_command([filled(each, values, quoted=False) for each in log.command])).splitlines()
    text = _text(_answer(log, filled(log.url, values)))
    try:
        return _strings(json.loads(text))
    except (ValueError, RecursionError):
        return text.splitlines()


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LARGEST))
            return file.read(LARGEST)
    except OSError as error:
        raise ErpLogUnreadable(f"{path} cannot be read: {error.strerror}") from None


def _command(arguments: list[str]) -> bytes:
    name = arguments[0]
    try:
        done = subprocess.run(arguments, capture_output=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
    except OSError as error:
        raise ErpLogUnreadable(f"{name} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise ErpLogUnreadable(f"{name} did not end within {TIMEOUT:g} s") from None
    if done.returncode != 0:
        raise ErpLogUnreadable(f"{name} ended with {done.returncode}: {_text(done.stderr).strip()[-200:]}")
    return done.stdout[-LARGEST:]


def _answer(log: ErpLog, address: str) -> bytes:
    import httpx  # noqa: PLC0415 - its start is long, and most logs are files

    headers = {"authorization": f"Bearer {log.token.reveal()}"} if log.token else {}
    body = b""
    try:
        with httpx.stream("GET", address, headers=headers, timeout=TIMEOUT, follow_redirects=False) as answer:
            if answer.status_code != httpx.codes.OK:
                raise ErpLogUnreadable(f"the log's address answers with HTTP {answer.status_code}")
            for part in answer.iter_bytes():
                body += part
                if len(body) > LARGEST:
                    break
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ErpLogUnreadable(f"the log's address cannot be asked: {type(error).__name__}") from None
    return body[:LARGEST]


def _strings(value: object) -> Iterable[str]:
    """Every text in a JSON document, such as the values of a Loki stream."""
    if isinstance(value, str):
        yield from value.splitlines()
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
