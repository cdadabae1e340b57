"""A real SFTP server for the tests of observers."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import asyncssh

from ringgate.domain.integrations import Integration
from tests.unit.integrations.samples import Told, integration


class Sftp:
    """A real SFTP server on this machine, on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.host_key = folder, asyncssh.generate_private_key("ssh-ed25519")
        self.user_key = asyncssh.generate_private_key("ssh-ed25519")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(20)
        self.port = self._server.get_port()

    async def _serve(self) -> asyncssh.SSHAcceptor:
        key, folder = self.user_key.convert_to_public(), str(self.folder).encode()

        class Doorman(asyncssh.SSHServer):
            def begin_auth(self, username: str) -> bool:
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == ("ringgate", "open-sesame")

            def public_key_auth_supported(self) -> bool:
                return True

            def validate_public_key(self, username: str, offered: asyncssh.SSHKey) -> bool:
                return username == "ringgate" and offered == key

        return await asyncssh.listen(
            "127.0.0.1", 0, server_host_keys=[self.host_key], server_factory=Doorman,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=folder),
        )  # fmt: skip

    def integration(self, **differently: object) -> Integration:
        known = self.host_key.export_public_key().decode().strip()
        made = {"address": f"sftp://127.0.0.1:{self.port}/out", "user": "ringgate", "password": Told("open-sesame"),
                "settings": {"host_key": known}}  # fmt: skip
        return integration(**{**made, **differently})

    def stop(self) -> None:
        if self._loop.is_closed():
            return

        async def close() -> None:
            self._server.close()
            await self._server.wait_closed()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
