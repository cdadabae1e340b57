"""Where the database listens."""

from __future__ import annotations

from pathlib import Path

from ringgate.estate.postgres import Cluster


def test_a_deep_folder_gets_a_short_socket(tmp_path: Path) -> None:
    near = Cluster(Path(), Path("/x/pg"), Path("/x/run/pg"), Path("/x/log"))
    assert near.sockets == Path("/x/run/pg")
    assert near.url("a b") == "postgresql://postgres:@/a b?host=/x/run/pg"
    far = Cluster(Path(), Path("/x/pg"), Path("/x" * 60), Path("/x/log"))
    assert len(str(far.sockets)) < 90
