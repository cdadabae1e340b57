"""Far ends on this machine: an SFTP server (asyncssh) and a mail catcher (aiosmtpd), which puts each message into a
mailbox of an IMAP server (pymap) by the domain of its recipient: client@aldgate.example lies in the folder `aldgate`.

    far_ends.py integrations.toml

Each tenant signs in to SFTP as itself and sees its own folder alone. A folder in which there is a file `.full` takes
nothing more, as a full disk would.
"""

from __future__ import annotations

import asyncio
import hmac
import imaplib
import signal
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import asyncssh
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import Envelope


class Catcher:
    """Takes every message, and refuses it for now (451) while the mailbox cannot be reached."""

    def __init__(self, imap: dict[str, Any]) -> None:
        self.imap, self.password = imap, Path(imap["password_file"]).read_text()

    def make(self, folder: str) -> None:
        with imaplib.IMAP4("127.0.0.1", self.imap["port"], timeout=10) as box:
            box.login(self.imap["user"], self.password)
            box.create(folder)

    async def handle_DATA(self, server: object, session: object, envelope: Envelope) -> str:  # noqa: N802
        try:
            await asyncio.to_thread(self._keep, envelope)
        except (OSError, imaplib.IMAP4.error) as error:
            return f"451 the mailbox cannot be reached: {type(error).__name__}"
        return "250 kept"

    def _keep(self, envelope: Envelope) -> None:
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        with imaplib.IMAP4("127.0.0.1", self.imap["port"], timeout=10) as box:
            box.login(self.imap["user"], self.password)
            for recipient in envelope.rcpt_tos:
                folder = recipient.partition("@")[2].partition(".")[0]
                box.create(folder)  # answers NO where it is there
                box.append(folder, "", imaplib.Time2Internaldate(time.time()), content)


def sftp_server(folders: Path) -> type[asyncssh.SFTPServer]:
    class Server(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel) -> None:
            self.own = folders / channel.get_connection().get_extra_info("username")
            super().__init__(channel, chroot=str(self.own).encode())

        def write(self, file_obj: object, offset: int, data: bytes) -> int:
            if (self.own / ".full").exists():
                raise asyncssh.SFTPNoSpaceOnFilesystem("No space left on device")
            return super().write(file_obj, offset, data)

    return Server


def doorman(users: dict[str, str]) -> type[asyncssh.SSHServer]:
    class Doorman(asyncssh.SSHServer):
        def begin_auth(self, username: str) -> bool:
            return True

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            known = users.get(username)
            return known is not None and hmac.compare_digest(Path(known).read_text(), password)

    return Doorman


async def serve(config: dict[str, Any]) -> None:
    sftp, folders = config["sftp"], Path(config["sftp"]["folder"])
    for tenant in sftp["users"]:
        (folders / tenant / "out").mkdir(parents=True, exist_ok=True)
    catcher = Catcher(config["imap"])
    for tenant in sftp["users"]:
        await asyncio.to_thread(catcher.make, tenant)
    mail = UnthreadedController(
        catcher, hostname="127.0.0.1", port=config["smtp"]["port"], loop=asyncio.get_running_loop()
    )
    await mail._create_server()
    await asyncssh.listen(
        "127.0.0.1", sftp["port"], server_host_keys=[sftp["host_key"]], server_factory=doorman(sftp["users"]),
        sftp_factory=sftp_server(folders),
    )  # fmt: skip
    ended = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, ended.set)
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve(tomllib.loads(Path(sys.argv[1]).read_text())))
