import stat
from pathlib import Path

import pytest

from ringgate.host.atomic_files import write_atomically


def test_text_and_bytes_replace_what_was_there(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "file.json"
    write_atomically(file, "müde")
    assert file.read_text(encoding="utf-8") == "müde"
    write_atomically(file, b"\x1f\x8b")
    assert file.read_bytes() == b"\x1f\x8b"
    assert list(file.parent.iterdir()) == [file]


def test_a_secret_is_nobody_elses_from_the_start(tmp_path: Path) -> None:
    write_atomically(tmp_path / "secret", "x", mode=0o600)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "file", "x")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
