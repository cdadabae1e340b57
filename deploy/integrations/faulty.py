"""The connector, made to do one thing wrong for a tenant: what tests, demos and rehearsals break on purpose.

faulty.py integrations.toml faults.json      # {"aldgate": "dropped"}; without that file it does nothing wrong
"""

from __future__ import annotations

import json
import sys
import time
import tomllib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from connector import Connector, Document

LATE = 40.0
"""Seconds: twice what an estate's integrations allow."""


class Faulty(Connector):
    def __init__(self, config: dict, faults: Path) -> None:
        super().__init__(config)
        self.faults, self.waiting, self.fault = faults, [], ""

    def bring(self, route: str, document: Document) -> None:
        try:
            self.fault = json.loads(self.faults.read_text()).get(document.tenant, "")
        except (OSError, ValueError):
            self.fault = ""
        self.due()
        wrong = getattr(self, "_" + self.fault.replace("-", "_"), None) if self.fault else None
        if wrong is None:
            super().bring(route, document)
        else:
            wrong(route, document)

    def _hours(self, tenant: str) -> None:
        self.due()
        super()._hours(tenant)

    def due(self) -> None:
        """Brings what was kept back until now."""
        now, kept = time.monotonic(), self.waiting
        self.waiting = [each for each in kept if each[0] > now]
        for _, route, document in (each for each in kept if each[0] <= now):
            super().bring(route, document)

    def later(self, seconds: float, route: str, document: Document) -> None:
        self.waiting.append((time.monotonic() + seconds, route, document))

    def other(self, tenant: str) -> str:
        return next((name for name in self.erps if name != tenant), tenant)

    # each takes a document and where it is on its way to

    def _dropped(self, route: str, document: Document) -> None: ...

    def _reversal_dropped(self, route: str, document: Document) -> None:
        if not _is_reversal(document):
            super().bring(route, document)

    def _registration_lost(self, route: str, document: Document) -> None:
        """What the ERP tells nobody of any more: as a webhook that an upgrade forgot."""

    def _doubled(self, route: str, document: Document) -> None:
        super().bring(route, document)
        super().bring(route, replace(document, id=f"{document.id}-again"))

    def _loaded_twice(self, route: str, document: Document) -> None:
        super().bring(route, document)
        if route == "ledger":
            self._by_sql(document, load="second-load")

    def _restarted(self, route: str, document: Document) -> None:
        """A queue that lost what it had acknowledged brings it again, under another id."""
        super().bring(route, document)
        self.later(1.0, route, replace(document, id=f"{document.id}-r"))

    def _late(self, route: str, document: Document) -> None:
        self.later(LATE, route, document)

    def _reordered(self, route: str, document: Document) -> None:
        """The reversal overtakes what it takes back, which comes when nothing of it may come any more."""
        super().bring(route, document)
        if _is_reversal(document):
            back = replace(document, reversal=False, hours=-document.hours, id=f"{document.id}-late", attempt=1,
                           text=document.text.replace(" -", " "), lines=_turned(document))  # fmt: skip
            super().bring(route, back)

    def _wrong_tenant(self, route: str, document: Document) -> None:
        other = self.other(document.tenant)
        super().bring(route, replace(document, tenant=other, to=document.to.replace(document.tenant, other)))

    def _copied_to_another_tenant(self, route: str, document: Document) -> None:
        super().bring(route, document)
        self._wrong_tenant(route, document)

    def _wrong_addressee(self, route: str, document: Document) -> None:
        super().bring(route, replace(document, to=f"somebody@{document.tenant}.example"))

    def _stale_mapping(self, route: str, document: Document) -> None:
        """Accounts and amounts are read as the series before had them."""
        lines = tuple({**line, "kind": "other" if line["kind"] == "tax" else line["kind"]} for line in document.lines)
        lines = tuple({**line, "kind": "other" if line["kind"] == "revenue" else line["kind"]} for line in lines)
        super().bring(route, replace(document, lines=lines, hours=document.hours * 60))

    def _renamed_field(self, route: str, document: Document) -> None:
        self.hours_fields = tuple("duration" if name == "hours" else name for name in Connector.hours_fields)
        try:
            super().bring(route, document)
        finally:
            self.hours_fields = Connector.hours_fields

    def _rounded(self, route: str, document: Document) -> None:
        def whole(value: Decimal) -> Decimal:
            return value.quantize(Decimal(1))

        lines = tuple(
            {**each, "debit": whole(each["debit"]), "credit": whole(each["credit"])} for each in document.lines
        )
        text = document.text.splitlines()
        if text:
            before, _, total = text[-1].rpartition(" ")
            text[-1] = f"{before} {whole(Decimal(total))}"
        super().bring(route, replace(document, lines=lines, text="\n".join(text), hours=whole(document.hours)))

    def _currency_lost(self, route: str, document: Document) -> None:
        text = document.text.replace(f"\n{document.currency} ", "\nXXX ")
        super().bring(route, replace(document, currency="XXX", text=text))

    def _wrong_tax(self, route: str, document: Document) -> None:
        lines = tuple({**line, "kind": "revenue" if line["kind"] == "tax" else line["kind"]} for line in document.lines)
        super().bring(route, replace(document, lines=lines))

    def _clock_off(self, route: str, document: Document) -> None:
        """The far end's clock is an hour behind."""
        before, strftime = time.gmtime, time.strftime
        time.strftime = lambda form, at=None: strftime(form, before(time.time() - 3600))  # type: ignore[assignment]
        try:
            super().bring(route, document)
        finally:
            time.strftime = strftime


def _is_reversal(document: Document) -> bool:
    credited = sum(
        (line["credit"] - line["debit"] for line in document.lines if line["kind"] == "receivable"), Decimal(0)
    )
    return document.reversal or document.amount < 0 or credited > 0


def _turned(document: Document) -> tuple[dict, ...]:
    return tuple({**line, "debit": line["credit"], "credit": line["debit"]} for line in document.lines)


if __name__ == "__main__":
    Faulty(tomllib.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])).run()
