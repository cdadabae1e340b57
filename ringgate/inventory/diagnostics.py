"""`[links]` and `[erp_log]`: where more is to be found about a run that did not pass."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from ringgate.domain.diagnostics import PLACES, unknown_places
from ringgate.inventory.kinds import StrictTable, Url
from ringgate.inventory.secrets import SecretTable


def _template(value: str) -> str:
    if unknown := unknown_places(value):
        raise ValueError(f"{', '.join(f'{{{x}}}' for x in unknown)}: only {', '.join(PLACES)} may stand in braces")
    return value


LinkTemplate = Annotated[Url, AfterValidator(_template)]


class ErpLogTable(StrictTable):
    """The log of the tenant's ERP. What it says of a run that did not pass is kept beside that run."""

    file: str = Field(
        "", description="A file on this machine; ${TENANT} stands for the tenant's id.", examples=["/var/log/erp.log"]
    )
    command: tuple[Annotated[str, AfterValidator(_template)], ...] = Field(
        (), description="A program that prints lines, with its arguments; {marker}, {run_id}, {trace_id}, {since} and "
        "{until} stand for the run's.", examples=[["ssh", "erp", "journalctl", "-u", "trytond", "--since", "{since}"]],
    )  # fmt: skip
    url: LinkTemplate | None = Field(
        None, description="An address that answers with lines or JSON, asked by GET.",
        examples=["https://logs.example.com/raw?q={run_id}&from={since}"],
    )  # fmt: skip
    token: SecretTable | None = Field(
        None, description="By reference: the bearer token for url.", examples=[{"env": "LOG_TOKEN"}]
    )

    @model_validator(mode="after")
    def _one(self) -> ErpLogTable:
        given = [name for name in ("file", "command", "url") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)}: give one of them")
        if self.token and not self.url:
            raise ValueError("token is for url alone")
        return self
