"""Which port leads to which tenant on which server. A file is the only way to tell the front door anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ringgate.estate.processes import write_atomically

FILE = "routes.json"


class Route(BaseModel):
    """One tenant's way in. `backend` is `host:port`, `series` that of the server there, `secure` the port for those who
    come by TLS, 0 for none.

    A route that is not `open` answers 503, as a tenant under maintenance does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int
    backend: str
    secure: int = 0
    series: str = ""
    open: bool = True

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.backend.rpartition(":")
        return host, int(port)


class Routes(BaseModel):
    """All tenants of an estate by their id, which is also the name of their database."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenants: Mapping[str, Route] = {}

    def write(self, folder: Path) -> None:
        write_atomically(folder / FILE, self.model_dump_json(indent=1))

    @classmethod
    def read(cls, folder: Path) -> Routes:
        """No routes where there is no file, or one of another version of Ringgate: the next start writes it anew."""
        try:
            return cls.model_validate_json((folder / FILE).read_text())
        except (FileNotFoundError, ValidationError):
            return cls()


Model = TypeVar("Model", bound=BaseModel)


class Followed(Generic[Model]):
    """A file that is read again whenever it was replaced: one `stat` for each look, no waiting."""

    def __init__(self, path: Path, model: type[Model]) -> None:
        self._path = path
        self._model = model
        self._seen: tuple[int, int, int] | None = None
        self._value = model()

    def get(self) -> Model:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._seen, self._value = None, self._model()
            return self._value
        seen = (status.st_mtime_ns, status.st_ino, status.st_size)
        if seen != self._seen:
            self._seen = seen
            try:
                self._value = self._model.model_validate_json(self._path.read_text())
            except ValueError as problem:
                # What was in force stays in force: a mistake in the file must not cut every tenant off.
                print(f"{self._path} is ignored: {problem}", flush=True)
        return self._value
