"""A fingerprint as a file: JSON in a stable order, gzipped if its name ends in .gz."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from ringgate.domain.errors import RinggateError
from ringgate.fingerprint.model import SCHEMA, Fingerprint
from ringgate.host.atomic_files import write_atomically


class UnreadableFingerprint(RinggateError):
    """A file is no fingerprint, or one of another version; the message names it."""


_FORM: Final = TypeAdapter(Fingerprint)


def dumps(fingerprint: Fingerprint) -> bytes:
    """JSON in a stable order; amounts as text, exact."""
    return _FORM.dump_json(fingerprint, indent=1)


def loads(text: bytes, name: str = "the fingerprint") -> Fingerprint:
    """The reverse, of plain or gzipped JSON. Raises UnreadableFingerprint, which says what is wrong with `name`."""
    try:
        plain = gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text
        found = _FORM.validate_json(plain)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        rule = ": ".join(filter(None, (where, first["msg"][:1].lower() + first["msg"][1:])))
        raise UnreadableFingerprint(f"{name} is no fingerprint: {rule}.") from None
    except (OSError, EOFError) as error:
        raise UnreadableFingerprint(f"{name} cannot be unpacked: {error}.") from None
    if found.schema != SCHEMA:
        raise UnreadableFingerprint(f"{name} is of version {found.schema}, and this Ringgate reads version {SCHEMA}.")
    return found


def write(fingerprint: Fingerprint, path: Path) -> None:
    """To a file, gzipped if its name ends in .gz (without a time stamp, so that equal books give equal files)."""
    text = dumps(fingerprint)
    write_atomically(path, gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)


def read(path: Path) -> Fingerprint:
    """From a file, gzipped or not. Raises UnreadableFingerprint."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UnreadableFingerprint(f"{path} cannot be read: {error.strerror}.") from None
    return loads(text, str(path))
