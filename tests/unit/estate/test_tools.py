"""Locks, commands and keys of what is installed."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from ringgate.estate.errors import EstateError
from ringgate.estate.tools import key, lock, run


def test_a_second_start_waits_for_the_first_and_says_so(tmp_path: Path) -> None:
    said: list[str] = []
    done = threading.Event()

    def second() -> None:
        with lock(tmp_path / "x.lock", said.append, "the estate"):
            done.set()

    with lock(tmp_path / "x.lock", said.append, "the estate"):
        thread = threading.Thread(target=second)
        thread.start()
        while not said:
            thread.join(0.01)
        assert not done.is_set()
    thread.join(10)
    assert done.is_set()
    assert said == ["Another start is busy with the estate; waiting for it to finish."]


def test_a_failed_command_tells_its_telling_line() -> None:
    script = "import sys; print('noise'); print('  => error: no such package\\n  more', file=sys.stderr); sys.exit(2)"
    with pytest.raises(EstateError, match=r"^It failed \(error: no such package\): check network"):
        run([sys.executable, "-c", script], "It failed")


def test_a_key_depends_on_every_part() -> None:
    assert key("a", 1) == key("a", 1)
    assert len({key("a", 1), key("a", 2), key("b", 1), key("a1")}) == 4
