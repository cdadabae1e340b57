from pathlib import Path

import pytest

from ringgate.estate.frontdoor.routes import FILE, Routes


@pytest.mark.parametrize("text", [None, '{"tenants": {"acme": {"port": 1, "of_another_version": true}}}', "{"])
def test_routes_that_cannot_be_read_are_written_anew(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / FILE).write_text(text)
    assert Routes.read(tmp_path) == Routes()
