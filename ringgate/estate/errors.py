"""What the estate cannot repair by itself."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ringgate.domain.errors import OurSideError


class EstateError(OurSideError):
    """The estate does not stand. The text is one sentence that ends in the remedy."""

    kind = "estate"


@contextmanager
def in_one_sentence() -> Iterator[None]:
    """Words what the system or the database say, such as that the disk is full, as EstateError."""
    import psycopg  # noqa: PLC0415 (the front door's process, which imports this module, does without it)

    try:
        yield
    except OSError as problem:
        remedy = "make room" if problem.errno in (errno.ENOSPC, errno.EDQUOT) else "repair that"
        where = f" ({problem.filename})" if problem.filename else ""
        what = problem.strerror or type(problem).__name__
        raise EstateError(f"The estate's work stopped: {what}{where}; {remedy} and start again.") from problem
    except psycopg.Error as problem:
        first = str(problem).strip().splitlines() or [type(problem).__name__]
        said = first[0].rstrip(".")
        raise EstateError(f"The estate's database refused: {said}; if it stays so, destroy the estate.") from problem
