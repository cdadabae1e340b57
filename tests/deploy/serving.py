"""A real `ringgate serve` in a process of its own, for tests that ask it as others do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.unit.inventory.test_inventory import SMALLEST, write


class Served:
    """A server on a port of its own, with a store and an inventory; by default acme in canary, bond in early."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        environment: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self._options = folder, options
        self.results = f"sqlite:///{folder}/state/results.sqlite"
        bond = SMALLEST.format(id="bond").replace('ring = "canary"', 'ring = "early"')
        self.inventory = write(folder, files or {"acme.toml": SMALLEST.format(id="acme"), "bond.toml": bond})
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RINGGATE_", "OTEL_"))},
            "RINGGATE_STATE": str(folder / "state"),
            "RINGGATE_INVENTORY": str(self.inventory),
            **(environment or {}),
        }
        self.port = "0"
        self.log = folder / "serve.log"
        self.start_again()

    @property
    def address(self) -> str:
        return f"http://{self.target}"

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start_again(self) -> None:
        """Starts the server, on the same port if it had one, and waits until it is ready."""
        command = [sys.executable, "-m", "ringgate.cli", "serve", "--port", self.port, *self._options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True, cwd=self.folder
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        found = re.search(r"http://\S+:(\d+)", said)
        assert found, said + self.log.read_text()
        self.port = found[1]
        while httpx.get(f"{self.address}/readyz", timeout=30).status_code != 200:
            assert self.process.poll() is None, self.log.read_text()

    def stop(self) -> int:
        """Asks it to end, and returns its exit code."""
        self.process.terminate()
        return self._ended()

    def kill(self) -> None:
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        assert self.process.stdout is not None
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


@contextmanager
def served(
    folder: Path,
    *options: str,
    environment: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    server = Served(folder, *options, environment=environment, files=files)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()
