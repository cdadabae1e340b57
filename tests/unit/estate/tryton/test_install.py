"""What is installed of Tryton, and when."""

from __future__ import annotations

from pathlib import Path

from ringgate.estate.progress import Progress
from ringgate.estate.tools import Tools
from ringgate.estate.tryton import install
from ringgate.estate.tryton.series import V70


def test_what_is_whole_is_not_made_again(tmp_path: Path) -> None:
    progress = Progress()
    tools = Tools(tmp_path, progress)
    folder = install.erp_folder(tools, V70)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").touch()
    (folder / ".complete").touch()
    assert install.install_erp(tools, V70) == folder
    assert [stage.result for stage in progress.stages] == ["already there"]
