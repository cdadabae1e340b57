"""What an estate remembers."""

from __future__ import annotations

from pathlib import Path

from ringgate.estate.record import EstateRecord, Place


def test_a_record_survives_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    record = EstateRecord(name="x", port_base=8070, tenants={"a": Place(archetype="a", port=8071, series="7.0")})
    assert EstateRecord.read(tmp_path) is None
    record.write(tmp_path)
    assert EstateRecord.read(tmp_path) == record
    (tmp_path / "estate.json").write_text("{")
    assert EstateRecord.read(tmp_path) is None
