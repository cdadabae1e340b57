"""How an inventory file refers to a secret."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, model_validator

from ringgate.inventory.kinds import StrictTable


class SecretTable(StrictTable):
    """A reference, by exactly one of two ways. `${TENANT}` stands for the tenant's id."""

    env: str | None = Field(
        None, description="The environment variable that holds it.", examples=["ACME_ACCOUNTANT_PASSWORD"]
    )
    file: str | None = Field(
        None, description="The file that holds it; ~ and ${RINGGATE_HOME} are expanded.", examples=["~/acme/accountant"]
    )

    @model_validator(mode="before")
    @classmethod
    def _by_reference(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError('must be a reference, { env = "NAME" } or { file = "PATH" }, never the secret itself')
        return value

    @model_validator(mode="after")
    def _one_way(self) -> SecretTable:
        if (self.env is None) == (self.file is None):
            raise ValueError("must have exactly one of env and file")
        if self.env is not None and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", self.env.replace("${TENANT}", "T")):
            raise ValueError("env must be the name of an environment variable: letters, digits and _")
        if self.file is not None and not self.file.strip():
            raise ValueError("file must be a path")
        return self
