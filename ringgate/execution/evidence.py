"""What is kept beside a run that did not pass: what its driver saw, what its twins made otherwise, the ERP's log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ringgate.domain.diagnostics import places
from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Attachment, Tenant
from ringgate.domain.terms import Channel
from ringgate.drivers.protocol import Call
from ringgate.integrations.erp_log import lines_about

ERP_LOG = "log of the ERP"
"""The name of what the ERP's own log said."""

Keep = Callable[[Path], Sequence[Attachment]]
"""Writes into a folder, and says what."""


def keep_evidence(folder: Path, redact: Callable[[str], str], *sources: Keep) -> tuple[Attachment, ...]:
    """What each source wrote into the folder, which is named after the run. Never raises for what a source does."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = [each for source in sources for each in source(folder)]
    except Exception as error:  # evidence is a help, its loss must not change what happened: say so in its place
        note = folder / "no-evidence.txt"
        note.write_text(redact(f"No evidence could be saved: {error or type(error).__name__}\n"))
        return (Attachment("no evidence", "text", f"{folder.name}/{note.name}"),)
    if not any(folder.iterdir()):
        folder.rmdir()
    return tuple(Attachment(each.name, each.kind, f"{folder.name}/{Path(each.path).name}") for each in found)


def erp_log(
    tenant: Tenant, call: Call, scenario: str, channel: Channel, began: datetime, redact: Callable[[str], str]
) -> Keep:
    """What the log of the tenant's ERP says of a run up to now; nothing where no log is known."""

    def keep(folder: Path) -> list[Attachment]:
        if not tenant.erp_log:
            return []
        values = places(
            began, datetime.now(UTC), trace_id=call.trace_id, run_id=call.run_id, tenant=tenant.id, ring=tenant.ring,
            scenario=scenario, channel=channel.value,
        )  # fmt: skip
        try:
            lines = lines_about(tenant.erp_log, values)
            text = "\n".join(lines) or f"It says nothing of {values['marker']}, and nothing of {call.trace_id}."
        except RinggateError as error:
            text = f"It could not be read: {error}"
        file = folder / "erp-log.txt"
        file.write_text(redact(text) + "\n", encoding="utf-8")
        return [Attachment(ERP_LOG, "log", str(file))]

    return keep
