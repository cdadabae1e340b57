"""Hosts that are driven by commands of one's own: `--platform command=hosts.toml`.

name = "eu"
series = ["7.0", "8.0"]

[env]
HOSTING_TOKEN = { env = "HOSTING_TOKEN" }

[status]
run = ["./hosting.py", "status", "{tenant}"]

[upgrade]
run = ["ansible-playbook", "upgrade.yml", "--limit", "{tenant}", "-e", "to={to} steps={steps}"]
timeout = "30 min"
unknown = [4]

A command is a program with its arguments; there is no shell. It runs in the folder of the file. Exit code 0 is done, 75
(and those of `unknown`) that nobody can tell, any other that it was refused. Its answer is JSON, on standard output or,
where an argument names {answer}, in that file. What went wrong is told from both outputs: Ansible says on standard
output what failed, and warns on standard error.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Annotated, Any

from pydantic import Field
from rich.console import Console

from ringgate.domain.model import Tenant
from ringgate.host import paths
from ringgate.host.secrets import redact
from ringgate.inventory import Inventory
from ringgate.inventory.files import Problem
from ringgate.inventory.kinds import Duration, StrictTable
from ringgate.inventory.secrets import SecretTable
from ringgate.inventory.tenants import reference
from ringgate.rollout.platforms.answers import HostAnswer
from ringgate.rollout.platforms.hosted import ActionRefused, HostAction
from ringgate.rollout.platforms.hosts_file import (
    ACTIONS,
    HostsFile,
    HostsTable,
    filled_in,
    inventory_of,
    read_hosts,
    site_of,
    unknown_placeholders,
)
from ringgate.rollout.platforms.protocol import PlatformRequest, PlatformSite
from ringgate.rollout.platforms.registry import PlatformError

CANNOT_TELL = 75
"""EX_TEMPFAIL of sysexits.h."""

_TOLD = 2_000
"""Characters of what a command said last that go into an error."""

_LOOK = 0.2
"""Seconds between two looks at whether an earlier command on the tenant has ended."""


class CommandTable(StrictTable):
    """One action as a command."""

    run: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)] = Field(
        description="A program and its arguments; {tenant} and the like are filled in. One with a / is looked for "
        "beside this file.",
        examples=[["./hosting.py", "status", "{tenant}"]],
    )
    timeout: Duration = Field(
        "10 min", validate_default=True, description="After this it is ended, and nobody can tell what came of it.",
        examples=["30 min"],
    )  # fmt: skip
    unknown: tuple[int, ...] = Field(
        (), description="Exit codes that say that nobody can tell what came of it, besides 75.", examples=[[4]]
    )


class CommandHostsTable(HostsTable):
    """A whole file of a platform `command`."""

    env: dict[str, str | SecretTable] = Field(
        {}, description="Variables of the commands; secrets by reference.",
        examples=[{"HOSTING_TOKEN": {"env": "HOSTING_TOKEN"}}],
    )  # fmt: skip
    status: CommandTable = Field(description='Answers {"series": "7.0", "busy": false}.')
    backup: CommandTable = Field(description='Answers {"name": ..., "taken_at": ..., "size": ...}.')
    backups: CommandTable = Field(description="Answers a list of such, of the tenant.")
    restore_beside: CommandTable = Field(description='Restores {backup} as {copy}; answers {"api": ..., "web": ...}.')
    remove_beside: CommandTable = Field(description="Removes {copy}, or what there is of it.")
    upgrade: CommandTable = Field(description="Upgrades to {to}; {steps} is a file with the release's manual steps.")
    roll_back: CommandTable = Field(description="Restores {backup} in the tenant's place.")
    repair: CommandTable | None = Field(
        None, description="Brings a tenant whose upgrade was cut off back to {backup} [default: roll_back]."
    )


class CommandChannel:
    """Runs the commands. While one runs, also after we were killed, no other one runs on the same tenant."""

    def __init__(self, file: HostsFile[CommandHostsTable], locks: Path) -> None:
        self._file, self._locks = file, locks
        self._folder = file.path.parent.absolute()
        self.actions = frozenset(name for name in ACTIONS if getattr(file.table, name) is not None)
        self.takes_steps = any("{steps}" in each for each in file.table.upgrade.run)

    def call(self, action: HostAction) -> HostAnswer:
        table: CommandTable = getattr(self._file.table, action.name)
        limit = table.timeout.total_seconds()
        source = f"{action.tenant.id}: {action.name} ({table.run[0]})"
        with tempfile.TemporaryDirectory(prefix="ringgate-") as place, self._held(action, limit) as lock:
            values = _values(action, Path(place))
            command = [self._program(table.run[0]), *(filled_in(each, values) for each in table.run[1:])]
            output = Path(place, "output")
            with output.open("wb") as stdout, Path(place, "errors").open("wb") as stderr:
                code = _ended(command, self._folder, self._environment(action), limit, lock, (stdout, stderr), source)
            answer = Path(values["answer"]) if any("{answer}" in each for each in table.run) else output
            told = "" if answer == output and _json(output) is not None else _tail(output)
            said = " ".join(filter(None, (_tail(Path(place, "errors")), told))) or _tail(output)
            if code in (CANNOT_TELL, 126, 127, *table.unknown) or code < 0:
                raise PlatformError(f"{source} ended with {code}: nobody can tell what came of it. {said}".strip())
            if code:
                doubtful = _doubtful(answer)
                raise ActionRefused(f"{source} ended with {code}: {said or 'it said nothing'}", doubtful=doubtful)
            return HostAnswer(_json(answer), source)

    def _program(self, name: str) -> str:
        return str(self._folder / name) if "/" in name else name

    def _environment(self, action: HostAction) -> dict[str, str]:
        told = {
            "TENANT": action.tenant.id, "ATTEMPT": action.attempt, "IDEMPOTENCY_KEY": action.key,
            "LEASE": action.lease,
        }  # fmt: skip
        own = {
            name: value if isinstance(value, str) else reference(value, action.tenant.id, self._folder).reveal()
            for name, value in self._file.table.env.items()
        }
        return {**os.environ, **own, **{f"RINGGATE_{name}": value for name, value in told.items()}}

    def settle(self, tenant: Tenant) -> None:
        """Waits for as long as an upgrade may take."""
        with self._alone(tenant.id, self._file.table.upgrade.timeout.total_seconds()):
            pass

    def _held(self, action: HostAction, limit: float) -> AbstractContextManager[int | None]:
        """What only reads waits for nobody, or nobody could ask how a long upgrade is doing."""
        return nullcontext() if action.name in ("status", "backups") else self._alone(action.tenant.id, limit)

    @contextmanager
    def _alone(self, tenant: str, limit: float) -> Iterator[int]:
        """Holds the tenant, by a lock that a command inherits: it ends when the last of both has ended."""
        self._locks.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._locks / f"{tenant}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            until = time.monotonic() + limit
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        words = f"an earlier command of ours has not ended in {limit:.0f} s"
                        raise PlatformError(f"{tenant}: {words}") from None
                    time.sleep(_LOOK)
            yield descriptor
        finally:
            os.close(descriptor)


def _ended(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    limit: float,
    lock: int | None,
    outputs: tuple[IO[bytes], IO[bytes]],
    source: str,
) -> int:
    """The exit code; negative for a signal. Has a session of its own, so that it can be ended with all it started."""
    held = () if lock is None else (lock,)
    try:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=outputs[0], stderr=outputs[1],
            pass_fds=held, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise PlatformError(f"{source} cannot be started: {error.strerror}") from error
    try:
        return process.wait(limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise PlatformError(
            f"{source} did not end in {limit:.0f} s and was ended: nobody can tell what came of it"
        ) from (None)


def _values(action: HostAction, place: Path) -> dict[str, str]:
    steps = place / "steps.json"
    told = [each.model_dump(mode="json") | {"text": each.text} for each in action.steps]
    steps.write_text(json.dumps(told), encoding="utf-8")
    tenant = action.tenant
    return {
        "tenant": tenant.id, "region": tenant.region, "timezone": tenant.timezone, "ring": tenant.ring,
        "key": action.key, "attempt": action.attempt, "lease": action.lease, "steps": str(steps),
        "answer": str(place / "answer.json"), **action.values,
    }  # fmt: skip


def _json(file: Path) -> Any:
    """What it holds; None where that is no JSON, as of a command that talks to people."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def _doubtful(answer: Path) -> bool:
    """Whether a refusal says that something was only waited for in vain: {"doubtful": true}."""
    try:
        said = json.loads(answer.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and said.get("doubtful") is True


def _tail(file: Path) -> str:
    text = file.read_bytes()[-_TOLD:].decode("utf-8", "replace")
    return redact(" ".join(text.split()))


def _check(path: Path, data: Mapping[str, object]) -> list[Problem]:
    """What the rule of a single key cannot see: programs that are not there, words that nothing fills in."""
    found: list[Problem] = []
    for action in ACTIONS:
        table = data.get(action)
        run = table.get("run") if isinstance(table, dict) else None
        if not isinstance(run, list) or not all(isinstance(each, str) for each in run) or not run:
            continue
        key = f"{action}.run"
        found += _missing(str(path), f"{key}[0]", path.parent, run[0])
        more = ("answer", "steps") if action == "upgrade" else ("answer",)
        for index, each in enumerate(run):
            found += unknown_placeholders(str(path), f"{key}[{index}]", action, each, more)
    return found


def _missing(file: str, key: str, folder: Path, program: str) -> list[Problem]:
    if "/" not in program:
        there = shutil.which(program) is not None
        return [] if there else [Problem(file, key, "there is no such program on the PATH", f'"{program}"')]
    at = folder / program
    if not at.is_file():
        return [Problem(file, key, "there is no such program beside this file", f'"{program}"')]
    return [] if os.access(at, os.X_OK) else [Problem(file, key, "is not executable: chmod +x", f'"{program}"')]


class CommandHosts:
    """Opens a platform by its file. Starts nothing: the hosts are there."""

    def foreseen(self, request: PlatformRequest) -> tuple[Inventory, tuple[str, ...]]:
        file = read_hosts(request.where, CommandHostsTable, _check)
        return inventory_of(file, request), file.table.series

    def open(self, request: PlatformRequest, series: Sequence[str], screen: Console) -> PlatformSite:
        file = read_hosts(request.where, CommandHostsTable, _check)
        locks = paths.state() / "platforms" / f"command-{file.table.name}" / "locks"
        return site_of(file, "command", CommandChannel(file, locks), request)
