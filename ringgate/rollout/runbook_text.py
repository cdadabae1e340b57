"""A runbook as Markdown: read on a screen, printed, or kept beside the release."""

from __future__ import annotations

from collections.abc import Iterator

from ringgate.host.secrets import redact
from ringgate.rollout.runbook import Runbook, RunbookPart, RunbookStep


def as_markdown(book: Runbook) -> str:
    """The whole of it. Holds no secrets."""
    return redact("\n".join(_lines(book)).rstrip() + "\n")


def _lines(book: Runbook) -> Iterator[str]:
    yield f"# Runbook: {book.title}"
    yield ""
    yield f"Release `{book.release}`, digest `{book.digest[:16]}`. Made from the release and the inventory:"
    yield "make it anew rather than editing it."
    yield ""
    yield from (f"- {name}: {value}" for name, value in book.facts)
    yield ""
    if book.gaps:
        yield "## What is not known"
        yield ""
        yield from (f"- {each}" for each in book.gaps)
        yield ""
    for part in book.parts:
        yield from _part(part)
    yield "## Addresses"
    yield ""
    yield "| tenant | ring | what | where |"
    yield "|---|---|---|---|"
    yield from (f"| {' | '.join(each)} |" for each in book.addresses)


def _part(part: RunbookPart) -> Iterator[str]:
    yield f"## {part.name.capitalize()}"
    yield ""
    led = f"Led by {part.owner}; reached by {part.contact}." if part.owner else "Nobody is named who leads this part."
    yield " ".join(filter(None, (led, part.change and f"Change: {part.change.rstrip('.')}.")))
    yield ""
    for number, step in enumerate(part.steps, 1):
        yield from _step(number, step)


def _step(number: int, step: RunbookStep) -> Iterator[str]:
    yield f"### {number}. {step.title}{f' (only if {step.only_if})' if step.only_if else ''}"
    yield ""
    if step.text:
        yield from (f"- {' '.join(text.split())}" for text in step.text)
        yield ""
    if step.code:
        yield "```text"
        yield from step.code.splitlines()
        yield "```"
        yield ""
    if step.commands:
        yield "```sh"
        yield from step.commands
        yield "```"
        yield ""
    if step.decision:
        yield f"**Decision.** {step.decision}"
        yield ""
