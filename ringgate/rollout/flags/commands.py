"""Features that commands of one's own switch: the ERP's own setting, a vendor's service. There is no shell."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from ringgate.domain.model import Tenant
from ringgate.host.secrets import redact
from ringgate.rollout.activation_tables import FlagTable
from ringgate.rollout.flags.protocol import FlagRefused, FlagUnknown, word
from ringgate.rollout.platforms.hosts_file import filled_in

PLACEHOLDERS = ("tenant", "flag", "state")
"""What may stand in braces in such a command; `state` not in one that asks."""


class CommandFlag:
    """One feature. `folder` is where its commands run, and where those with a / are looked for."""

    def __init__(self, folder: Path, table: FlagTable) -> None:
        self.folder, self.table = folder.absolute(), table

    def state(self, tenant: Tenant) -> bool:
        code, said, errors = self._run(self.table.ask or (), tenant)
        if code or said not in ("on", "off"):
            told = f"ended with {code}: {errors or said}" if code else f'said "{said[:80]}", and neither on nor off'
            raise FlagUnknown(f"{tenant.id}: the command that says whether {self.table.name} is on {told}")
        return said == "on"

    def switch(self, tenant: Tenant, on: bool) -> None:
        code, said, errors = self._run(self.table.switch or (), tenant, word(on))
        if code:
            raise FlagRefused(f"the command ended with {code}: {errors or said or 'it said nothing'}")

    def _run(self, words: Sequence[str], tenant: Tenant, state: str = "") -> tuple[int, str, str]:
        values = {"tenant": tenant.id, "flag": self.table.name, "state": state}
        program = str(self.folder / words[0]) if "/" in words[0] else words[0]
        limit = self.table.timeout.total_seconds()
        try:
            done = subprocess.run(
                [program, *(filled_in(each, values) for each in words[1:])], cwd=self.folder, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, check=False, timeout=limit,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise FlagUnknown(f"{tenant.id}: {words[0]} did not end in {limit:.0f} s and was ended") from None
        except OSError as error:
            raise FlagUnknown(f"{tenant.id}: {words[0]} cannot be started: {error.strerror}") from error
        return done.returncode, done.stdout.strip(), redact(" ".join(done.stderr.split()))[-1000:]
