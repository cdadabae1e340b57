"""What people tell a rollout that is under way, in a file beside its record: to pause.

<record's folder>.paused.json     {"by": "qa", "why": "the payroll run is late", "at": "2026-11-28T10:00:00Z"}
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from ringgate.host.atomic_files import write_atomically


class PauseOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str
    why: str
    at: AwareDatetime


class RolloutOrders:
    """The orders of one rollout. What is under way is verified to its end; nothing more is begun while it is paused."""

    def __init__(self, folder: Path) -> None:
        self._file = folder.with_name(f"{folder.name}.paused.json")

    def pause(self, by: str, why: str) -> None:
        write_atomically(self._file, PauseOrder(by=by, why=why, at=datetime.now(UTC)).model_dump_json())

    def resume(self) -> bool:
        """Ends a pause. Says whether there was one."""
        try:
            self._file.unlink()
        except FileNotFoundError:
            return False
        return True

    def paused(self) -> str:
        """Why it is paused, in a sentence; "" if it is not. An order that cannot be read is one."""
        try:
            order = PauseOrder.model_validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return ""
        except (ValidationError, OSError):
            return f"paused by somebody: {self._file} cannot be read"
        return f"paused by {order.by} at {order.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {order.why}"
