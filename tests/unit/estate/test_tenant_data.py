"""A tenant's files go wherever its database goes."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from ringgate.estate.backups import Backups
from ringgate.estate.errors import EstateError
from ringgate.estate.postgres import Cluster
from ringgate.estate.tenant_data import TenantData, digest, size


class NamedDatabases:
    """A cluster of names: a dump is the name of its database."""

    def dump(self, database: str, file: Path) -> None:
        file.write_text(database)

    def load(self, file: Path, database: str) -> None:
        assert file.is_file()

    def clone(self, template: str, database: str) -> None: ...
    def rename(self, old: str, new: str) -> None: ...
    def seal(self, old: str, new: str) -> None: ...
    def drop(self, database: str) -> None: ...


@pytest.fixture
def data(tmp_path: Path) -> TenantData:
    made = TenantData(cast("Cluster", NamedDatabases()), tmp_path / "files")
    (made.files / "acme" / "a1").mkdir(parents=True)
    (made.files / "acme" / "a1" / "report").write_text("a report")
    return made


def kept(data: TenantData, name: str) -> str:
    file = data.files / name / "a1" / "report"
    return file.read_text() if file.is_file() else ""


def test_files_are_copied_moved_and_removed_with_the_database(data: TenantData) -> None:
    data.clone("acme", "other")
    assert (kept(data, "acme"), kept(data, "other")) == ("a report", "a report")
    data.rename("other", "third")
    assert (kept(data, "other"), kept(data, "third")) == ("", "a report")
    data.seal("third", "golden")
    data.clone("without-files", "golden")
    assert kept(data, "golden") == "", "a database without files leaves none of those before it"
    data.drop("acme")
    assert list(data.files.iterdir()) == []


def test_a_backup_has_the_files_and_their_digest(data: TenantData, tmp_path: Path) -> None:
    backups = Backups(tmp_path / "backups", data)
    backup = backups.take("acme", "7.0")
    assert backup.size == len("acme") + len("a report")
    (data.files / "acme" / "a1" / "report").write_text("another")
    backups.restore(backup, "acme")
    assert kept(data, "acme") == "a report"
    inside = backups.file(backup).with_suffix(".files") / "a1" / "report"
    inside.write_text("damaged!")
    with pytest.raises(EstateError, match="is damaged"):
        backups.restore(backup, "acme")


def test_a_digest_depends_on_names_and_contents(tmp_path: Path) -> None:
    file = tmp_path / "x.dump"
    file.write_text("dump")
    alone = digest(file)
    (tmp_path / "x.files").mkdir()
    (tmp_path / "x.files" / "a").write_text("1")
    one = digest(file)
    (tmp_path / "x.files" / "a").rename(tmp_path / "x.files" / "b")
    assert len({alone, one, digest(file)}) == 3
    assert size(file) == 5


def test_old_backups_go_with_their_files(data: TenantData, tmp_path: Path) -> None:
    backups = Backups(tmp_path / "backups", data)
    for _ in range(7):
        backups.take("acme", "7.0")
    assert len(backups.of("acme")) == 5
    assert len(list((tmp_path / "backups" / "acme").glob("*.files"))) == 5
