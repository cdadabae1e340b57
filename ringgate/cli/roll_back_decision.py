"""Who decided, by their key, that a rollout is taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ringgate.cli.common import UsageMistake

if TYPE_CHECKING:
    from ringgate.rollout.record import RehearsalRecord
    from ringgate.rollout.release import Release


def decided_by(definition: Release, record: RehearsalRecord, key: Path | None, results: str | None) -> str:
    """Who decided by their key that it is taken back, noted as evidence; "" where the release names nobody."""
    from ringgate.evidence import EvidenceChain, this_actor
    from ringgate.evidence.signing import SigningKey
    from ringgate.execution import setup
    from ringgate.rollout.approvals import decide_roll_back
    from ringgate.store import Store

    table = definition.table.approvals
    if table is None or not table.roll_back:
        return ""
    if key is None:
        raise UsageMistake(
            f"a person with the role {' or '.join(table.roll_back)} decides this: give their key, --key."
        )
    own = SigningKey.load(key.expanduser(), lambda: str(typer.prompt("Passphrase", hide_input=True, err=True)))
    new = decide_roll_back(table, definition.id, definition.digest, record.session, own, datetime.now(UTC))
    store = Store(setup.results_url(results))
    try:
        EvidenceChain(store, this_actor()).append(new)
    finally:
        store.close()
    return str(new.body["person"])


# --- how ----------------------------------------------------------------------------------------------------------
