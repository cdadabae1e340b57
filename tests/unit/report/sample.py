"""A believable set of results for the report's own tests: four tenants, eight processes, two channels, and failures."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from ringgate.domain.model import (
    Accounts,
    Approval,
    Attachment,
    Failure,
    Policy,
    Residue,
    RunResult,
    Scenario,
    Step,
    TaxRule,
    Tenant,
)
from ringgate.domain.money import Currency, RoundingMode
from ringgate.domain.payment_terms import PaymentTerm
from ringgate.domain.terms import Channel, Effect, InvoiceMethod, Layer, Outcome, TaxRounding

START = datetime(2026, 11, 22, 23, 2, 27, tzinfo=UTC)
STEPS = {
    "sign-in": ["sign in", "refuse a wrong password", "refuse an ended session"],
    "project-creation": ["log in", "create project", "read it back"],
    "time-entry": ["log in", "create project", "enter time", "correct the entry", "refuse more than 24 hours"],
    "procurement-approval": ["log in", "request", "requester may not approve", "approve", "reject another"],
    "invoicing-from-time": [
        "log in",
        "create project",
        "enter time",
        "draft invoice",
        "check net, tax and total",
        "post invoice",
    ],
    "financial-posting": ["log in", "draft invoice", "post invoice", "refuse to post twice", "refuse a closed period"],
    "credit-and-payment": ["log in", "post invoice", "credit it", "post another", "pay it"],
    "project-to-cash": [
        "log in",
        "create project",
        "enter time",
        "draft invoice",
        "post invoice",
        "pay",
        "three layers agree",
    ],
}
TITLES = {
    "sign-in": "Only the right password opens a session, and an ended one stays closed.",
    "project-to-cash": "Logged hours become an approved, posted and paid invoice.",
}
_COST = {"post": 1.7, "draft": 0.42, "create": 0.2, "pay": 0.9, "credit": 1.9, "log": 0.25, "sign": 0.25}


def tenant(
    name: str, ring: str, currency: Currency, taxes: Sequence[tuple[str, str]], zone: str, **policy: object
) -> Tenant:
    rules = tuple(TaxRule(tax, Decimal(rate), "Consulting") for tax, rate in taxes)
    approval = policy.get("approval", Approval(1))
    rounding = policy.get("rounding", TaxRounding.LINE)
    method = policy.get("method", InvoiceMethod.TIMESHEET)
    assert isinstance(approval, Approval)
    assert isinstance(rounding, TaxRounding)
    assert isinstance(method, InvoiceMethod)
    rules_of = Policy(
        currency,
        rules,
        rounding,
        RoundingMode.HALF_EVEN,
        approval,
        method,
        PaymentTerm.net("30 days", 30),
        Accounts(("1100",), ("4000",), ("2200",), ("1000",)),
        "Consulting",
        "Client",
    )
    return Tenant(
        name,
        f"{name.capitalize()} Partners",
        "tryton",
        ring,
        ("demo",),
        "local",
        policy.get("residency", "uk"),
        zone,  # type: ignore[arg-type]
        "de" if name == "cologne" else "en",
        "gold",
        f"http://127.0.0.1:8071/{name}",
        f"http://127.0.0.1:8071/#{name}",
        rules_of,
        {},
        series="7.0",
    )


def four_tenants() -> list[Tenant]:
    return [
        tenant(
            "aldgate",
            "canary",
            Currency("GBP"),
            [("VAT 20%", "0.20")],
            "Europe/London",
            approval=Approval(1, Decimal("500.00")),
        ),
        tenant("bleecker", "early", Currency("USD"), [], "America/New_York", approval=Approval(0), residency="us"),
        tenant(
            "cologne",
            "early",
            Currency("EUR"),
            [("19%", "0.19"), ("7%", "0.07")],
            "Europe/Berlin",
            rounding=TaxRounding.DOCUMENT,
            residency="eu",
        ),
        tenant(
            "kyoto",
            "broad",
            Currency("JPY", 0),
            [("10%", "0.10")],
            "Asia/Tokyo",
            rounding=TaxRounding.DOCUMENT,
            method=InvoiceMethod.EFFORT,
            residency="jp",
        ),
    ]


def eight_scenarios() -> list[Scenario]:
    return [
        Scenario(
            name,
            TITLES.get(name, ""),
            Effect.REVERSIBLE,
            frozenset(),
            frozenset(),
            Layer.PLATFORM if name == "sign-in" else Layer.PROCESS,
            frozenset(Channel),
            lambda *_: None,
        )
        for name in STEPS
    ]


def run(
    scenario: str, tenant: str, channel: Channel, ring: str = "early", number: int = 0, slow: float = 1.0
) -> RunResult:
    """A run that passed, with plausible steps. The same arguments give the same run."""
    chance = random.Random(f"{scenario} {tenant} {channel} {number}")
    steps, at = [], 0.0
    for name in STEPS.get(scenario, ["do it"]):
        cost = _COST.get(name.split()[0], 0.09) * (3.1 if channel is Channel.BROWSER else 1.0)
        took = cost * chance.uniform(0.8, 1.35) * slow + (0.35 if channel is Channel.BROWSER else 0.01)
        steps.append(Step(name, at, took, Outcome.PASSED))
        at += took + 0.002
    hexes = f"{chance.getrandbits(128):032x}"
    return RunResult(
        f"rg-{hexes[:12]}",
        hexes,
        scenario,
        tenant,
        ring,
        channel,
        Outcome.PASSED,
        START + timedelta(seconds=chance.uniform(0, 96)),
        at,
        undo_seconds=at / 3,
        steps=tuple(steps),
        seed=20261122,
        calls=len(steps) * 4,
    )


def ended(passed: RunResult, outcome: Outcome, failure: Failure, **more: object) -> RunResult:
    """The same run, ended in the failure's step."""
    names = [step.name for step in passed.steps]
    last = names.index(failure.step) if failure.step in names else len(names) - 1
    kept = passed.steps[:last]
    broken = passed.steps[last]
    steps = (*kept, Step(broken.name, broken.start, broken.seconds, outcome))
    return _with(passed, outcome=outcome, failure=failure, steps=steps, **more)


def skipped(passed: RunResult, reason: str) -> RunResult:
    return _with(passed, outcome=Outcome.SKIPPED, reason=reason, steps=(), seconds=0.0, undo_seconds=0.0, calls=0)


def _with(result: RunResult, **changes: object) -> RunResult:
    from dataclasses import replace

    return replace(result, **changes)  # type: ignore[arg-type]


def all_passed(tenants: Sequence[Tenant], scenarios: Sequence[Scenario]) -> list[RunResult]:
    made = []
    for t in tenants:
        for s in scenarios:
            for channel in Channel:
                made.append(run(s.id, t.id, channel, t.ring))
                if s.id == "procurement-approval" and t.policy.approval.steps == 0:
                    made[-1] = skipped(made[-1], "the tenant asks for no approvals (policy.approval.steps = 0)")
    return made


def png(width: int, height: int, noise: bool = False) -> bytes:
    """A picture of a made-up screen, or of noise, which no compression makes small."""
    chance, rows = random.Random(1), bytearray()
    for y in range(height):
        if noise:
            rows += b"\0" + chance.randbytes(width * 3)
            continue
        bar = y < 36
        line = bytes([38, 50, 56] if bar else [250, 250, 250] if (y // 24) % 2 else [236, 239, 241])
        rows += b"\0" + bytes([69, 90, 100] if bar else [224, 228, 231]) * (width // 6) + line * (width - width // 6)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(rows), 6))
        + chunk(b"IEND", b"")
    )


def with_failures(tenants: Sequence[Tenant], scenarios: Sequence[Scenario], root: Path) -> list[RunResult]:
    """The same with two failures, one of them with a picture and a trace, one broken run, one missing, and residue."""
    (root / "evidence").mkdir(parents=True, exist_ok=True)
    (root / "evidence" / "invoice.png").write_bytes(png(1280, 800))
    (root / "evidence" / "trace.zip").write_bytes(b"PK")
    wrong_tax = Failure(
        "expectation",
        "the invoice's tax: expected 171.00 EUR, but it is 180.00 EUR (19% of 900.00 EUR)",
        "check net, tax and total",
        "19% of 900.00 EUR by the tenant's own rule, rounded by document",
        "171.00 EUR",
        "180.00 EUR",
        "Traceback (most recent call last):\n"
        '  File "scenarios/invoicing_from_time.py", line 31, in invoicing_from_time\n'
        "    expect(invoice.tax, equals=erp.tax_on(invoice.net), because=...)\n"
        "ringgate.scenario.expectations.ExpectationFailed: tax: expected 171.00 EUR, but it is 180.00 EUR",
    )
    hostile = Failure(
        "refused",
        "post was refused: <script>alert('x')</script> <b>Period</b> \"2026-11\" is closed & locked "
        + "very long " * 400,
        "post invoice",
        expected="a posted entry in 2026-11",
        actual="<img src=x onerror=alert(1)> state draft",
    )
    no_browser = Failure(
        "browser", "the browser could not be started: install it with `playwright install chromium`", "log in"
    )
    made = []
    for result in all_passed(tenants, scenarios):
        key = (result.scenario, result.tenant, result.channel)
        if key == ("invoicing-from-time", "cologne", Channel.BROWSER):
            evidence = (
                Attachment("Invoice form of the accountant", "screenshot", "evidence/invoice.png"),
                Attachment("trace.zip", "trace", "evidence/trace.zip"),
                Attachment("server log", "text", "evidence/gone.txt"),
            )
            made.append(ended(result, Outcome.FAILED, wrong_tax, attachments=evidence))
        elif key == ("invoicing-from-time", "cologne", Channel.API):
            made.append(ended(result, Outcome.FAILED, wrong_tax))
        elif key == ("financial-posting", "kyoto", Channel.API):
            left = Residue(
                "kyoto",
                result.run_id,
                "draft_invoice",
                "rg-5f0c1e/draft",
                "the draft could not be cancelled: <i>period closed</i>",
            )
            made.append(ended(result, Outcome.FAILED, hostile, residue=(left,)))
        elif key == ("sign-in", "bleecker", Channel.BROWSER):
            made.append(ended(result, Outcome.BROKEN, no_browser))
        elif key != ("credit-and-payment", "kyoto", Channel.BROWSER):
            made.append(result)
    return made
