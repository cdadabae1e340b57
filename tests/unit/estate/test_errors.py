"""What the system and the database say, in one sentence."""

from __future__ import annotations

import errno

import psycopg
import pytest

from ringgate.estate.errors import EstateError, in_one_sentence


def test_what_the_system_says_becomes_one_sentence() -> None:
    with (
        pytest.raises(EstateError, match=r"No space left on device \(/x/y\); make room and start again\.$"),
        in_one_sentence(),
    ):
        raise OSError(errno.ENOSPC, "No space left on device", "/x/y")
    with pytest.raises(EstateError, match="could not extend file"), in_one_sentence():
        raise psycopg.errors.DiskFull("could not extend file")
