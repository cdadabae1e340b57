"""What the documents tell people to type is there: commands, options, targets, files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from ringgate.cli import app
from ringgate.estate.cli import app as estate

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CHANGELOG.md")] + sorted(ROOT.glob("docs/*.md"))


def command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that these words lead to, and what is left of them."""
    found, rest = typer.main.get_command(app), list(words)
    if rest[:1] == ["estate"]:  # its commands live with the estate
        found, rest = typer.main.get_command(estate), rest[1:]
    while hasattr(found, "list_commands") and rest and not rest[0].startswith("-"):
        inner = found.get_command(typer.Context(found), rest[0])
        assert inner is not None, f"there is no command {rest[0]!r}"
        found, rest = inner, rest[1:]
    return found, rest


def typed(page: Path) -> Iterator[str]:
    """Every command line of Ringgate's that a page shows, in code."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```(?:sh|console|bash)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from re.findall(r"^(?:\$ )?(ringgate [^#\n]*)", block, re.MULTILINE)
    yield from re.findall(r"^    (ringgate [^#\n]*)", text, re.MULTILINE)
    yield from (re.sub(r"\s+", " ", each) for each in re.findall(r"(?<!`)`(ringgate [a-z][^`=|]*)`(?!`)", text))


LINES = sorted({(page.name, line.strip()) for page in PAGES for line in typed(page)})


@pytest.mark.parametrize(("page", "line"), LINES)
def test_every_command_that_a_page_shows_is_there_with_its_options(page: str, line: str) -> None:
    words = re.split(r"\s+", re.sub(r"[\[\]|]|\.\.\.", " ", line).strip())[1:]
    found, rest = command(words)
    options = {each for option in found.params for each in (*option.opts, *option.secondary_opts)} | {"--help"}
    named = {word.split("=")[0] for word in rest if word.startswith("-")}
    assert named <= options, f"{page}: {line}"


def test_the_pages_show_commands() -> None:
    assert len(LINES) > 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_target_of_make_is_there(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_linked_is_there(page: Path) -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [each for each in linked if not (page.parent / each).exists()] == []


def test_every_room_of_the_engine_stands_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {path.parent.name for path in (ROOT / "ringgate").glob("*/__init__.py")}
    told = {
        each for row in re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE) for each in re.findall(r"`([a-z_]+)/`", row)
    }
    assert rooms - told == set()
    assert [each for each in told if not any((base / each).is_dir() for base in (ROOT, ROOT / "ringgate"))] == []
