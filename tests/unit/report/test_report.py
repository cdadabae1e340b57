"""The page stands alone, is sound HTML, escapes everything, keeps secrets out, and finds its evidence."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from rich.console import Console

from ringgate.domain.errors import RinggateError
from ringgate.domain.model import Attachment, Failure, RunResult
from ringgate.domain.terms import Channel, Outcome
from ringgate.host.secrets import hide
from ringgate.report import build_report, matrix_table
from ringgate.report.text import approval_words, clean, fault, host, seconds, tax_words
from ringgate.report.timing import TimingSample, axis, strip
from tests.unit.report.sample import (
    START,
    all_passed,
    eight_scenarios,
    ended,
    four_tenants,
    run,
    skipped,
    with_failures,
)

TENANTS, SCENARIOS = four_tenants(), eight_scenarios()
CSS = Path(__file__).parents[3] / "reports" / "templates" / "report.css"


class Page(HTMLParser):
    """What the tests look at: tags with attributes in order, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, attribute: str) -> list[str]:
        return [attributes[attribute] for _, attributes in self.tags if attribute in attributes]


def write(folder: Path, results: list[RunResult], **more: object) -> str:
    out = folder / "report.html"
    options = {"title": "Nightly", "generated_at": START + timedelta(minutes=3), "attachments_root": folder} | more
    return build_report(results, TENANTS, SCENARIOS, out=out, **options).read_text(encoding="utf-8")  # type: ignore[arg-type]


def failing(folder: Path, failure: Failure, *attachments: Attachment) -> str:
    passed = run("sign-in", "kyoto", Channel.BROWSER)
    return write(folder, [ended(passed, Outcome.FAILED, failure, attachments=attachments)])


@pytest.fixture
def bad(tmp_path: Path) -> str:
    return write(tmp_path, with_failures(TENANTS, SCENARIOS, tmp_path), release="Tryton 7.0.59")


# --- the page stands alone and is sound ----------------------------------------------------------------------------


def test_the_page_asks_for_nothing_over_the_network(bad: str) -> None:
    page = Page(bad)
    addresses = page.values("src") + page.values("href")
    assert not [a for a in addresses if not re.match(r"(#|data:image/|\./|\.\./)", a)]
    assert "url(" not in bad
    assert "@import" not in bad


def test_the_policy_allows_the_pages_own_script_and_no_other(bad: str) -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", bad, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = [a["content"] for tag, a in Page(bad).tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_ids_are_unique_and_every_link_inside_the_page_leads_somewhere(bad: str) -> None:
    page = Page(bad)
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {a[1:] for a in page.values("href") if a.startswith("#")} <= set(ids)
    referred = page.values("aria-labelledby")
    assert set(referred) <= set(ids)


def test_headings_follow_each_other_without_a_gap(bad: str) -> None:
    levels = [int(tag[1]) for tag, _ in Page(bad).tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_header_cell_says_what_it_heads_and_every_picture_what_it_shows(bad: str) -> None:
    tags = Page(bad).tags
    assert all("scope" in a for tag, a in tags if tag == "th")
    assert all(a.get("alt") for tag, a in tags if tag == "img")
    assert all(a.get("aria-label") for tag, a in tags if a.get("role") == "img")


def test_the_title_and_the_first_heading_say_the_verdict(bad: str) -> None:
    assert "<title>Failed – Nightly</title>" in bad  # noqa: RUF001
    assert "3 of 62 checks failed: invoicing from time on cologne and financial posting on kyoto (API)." in bad


def test_a_page_without_results_says_that_nothing_is_known(tmp_path: Path) -> None:
    page = write(tmp_path, [])
    assert "<title>Inconclusive" in page
    assert "nothing is known" in page
    assert "every run listed here undid" not in page
    empty = build_report([], [], [], title="", generated_at=START, out=tmp_path / "e.html", attachments_root=tmp_path)
    assert "<title>Inconclusive" in empty.read_text()


def test_everything_a_reader_needs_is_on_the_page(bad: str) -> None:
    text = Page(bad).text
    for words in (
        "Tryton 7.0.59", "rings canary, early and broad", "127.0.0.1", "2026-11-22 23:02 UTC", "171.00 EUR",
        "180.00 EUR", "rounded by document", "check net, tax and total", "The ERP is wrong", "Our side is at fault",
        "ringgate recover", "rg-5f0c1e/draft", "the tenant asks for no approvals", "1 approver above GBP 500.00",
        "19% and 7%", "America/New_York", "not run", "not applicable", "playwright show-trace evidence/trace.zip",
        "not found at evidence/gone.txt",
    ):  # fmt: skip
        assert words in text, words


def test_every_run_and_trace_id_is_there_for_the_auditor(tmp_path: Path) -> None:
    results = all_passed(TENANTS, SCENARIOS)
    text = Page(write(tmp_path, results)).text
    assert all(result.run_id in text and result.trace_id in text for result in results)


# --- nothing gets out or in that should not ------------------------------------------------------------------------


def test_markup_in_any_text_is_shown_not_obeyed(tmp_path: Path) -> None:
    evil = "</style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'"
    failure = Failure(evil, evil, evil, evil, evil, evil, evil)
    result = ended(run("sign-in", "kyoto", Channel.API), Outcome.FAILED, failure, run_id=evil, trace_id=evil)
    named = replace(result, scenario=evil, tenant=evil, ring=evil, release=evil)
    apart = skipped(run("time-entry", "kyoto", Channel.API), evil)
    page = write(tmp_path, [named, apart], title=evil, release=evil)
    assert page.count("<script") == 1
    assert page.count("</style>") == 1
    assert "<img" not in page
    assert not [tag for tag, attributes in Page(page).tags if any(name.startswith("on") for name in attributes)]


def test_secrets_are_hidden_wherever_they_were_said(tmp_path: Path) -> None:
    hide("tr0ub4dor&3")
    said = "logged in with tr0ub4dor&3"
    page = failing(tmp_path, Failure("sign-in", said, "sign in", said, said, said, said))
    assert "tr0ub4dor" not in page
    assert "logged in with ***" in page


def test_control_characters_and_terminal_colours_are_dropped() -> None:
    assert clean("\x1b[31mred\x1b[0m\x00\u202eafter\nnext") == "redafter\nnext"


def test_huge_texts_are_cut_in_the_middle_and_say_so() -> None:
    cut = clean("a" * 5000 + "end", 900)
    assert len(cut) < 1000
    assert cut.startswith("aaa")
    assert cut.endswith("end")
    assert "characters left out" in cut


def test_a_page_with_huge_texts_stays_small(tmp_path: Path) -> None:
    assert len(failing(tmp_path, Failure("refused", "x" * 5_000_000, traceback="y" * 5_000_000))) < 200_000


def test_evidence_outside_the_output_folder_is_neither_linked_nor_embedded(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    inner = tmp_path / "out"
    inner.mkdir()
    (inner / "link.png").symlink_to(tmp_path / "secret.png")
    for path in ("../secret.png", str(tmp_path / "secret.png"), "link.png", "a\0b"):
        page = failing(inner, Failure("x", "y"), Attachment("shot", "screenshot", path))
        assert "data:image/png" not in page
        assert not re.search(r'href="[^"]*(secret|link)\.png', page)


def test_odd_file_names_are_quoted_in_links_and_commands(tmp_path: Path) -> None:
    name = "a b'; rm -rf x #1.zip"
    (tmp_path / name).write_bytes(b"PK")
    page = failing(tmp_path, Failure("x", "y"), Attachment("trace", "trace", name))
    assert "./a%20b%27%3B%20rm%20-rf%20x%20%231.zip" in page
    assert """playwright show-trace 'a b'"'"'; rm -rf x #1.zip'""" in Page(page).text


def test_a_page_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RinggateError, match=r"could not be written to .*choose another place"):
        write(tmp_path / "file", [])


def test_an_older_page_is_replaced_whole(tmp_path: Path) -> None:
    write(tmp_path, [])
    assert "All 62 checks passed" in write(tmp_path, all_passed(TENANTS, SCENARIOS))
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_report_needs_neither_a_browser_nor_an_http_client() -> None:
    code = "import sys; sys.modules.update(playwright=None, httpx=None); import ringgate.report"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- words, numbers, plots -----------------------------------------------------------------------------------------


def test_the_outcome_decides_whose_fault_it_is() -> None:
    assert fault(Outcome.FAILED, Failure("browser", "")).startswith("The ERP is wrong")
    assert fault(Outcome.BROKEN, Failure("expectation", "")).startswith("Our side is at fault")
    assert fault(Outcome.BROKEN, None).startswith("Our side is at fault")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0.00 s"),
        (0.001, "<0.01 s"),
        (0.239, "0.24 s"),
        (12.34, "12.3 s"),
        (119.6, "2 min"),
        (192, "3 min 12 s"),
        (3840, "1 h 4 min"),
    ],
)
def test_durations_read_well(value: float, words: str) -> None:
    assert seconds(value) == words


def test_a_tenants_rules_are_put_in_words() -> None:
    aldgate, bleecker, cologne, _ = (tenant.policy for tenant in TENANTS)
    assert [tax_words(p) for p in (aldgate, bleecker, cologne)] == ["VAT 20%", "none", "19% and 7%"]
    assert [approval_words(p.approval, p.currency.code) for p in (aldgate, bleecker, cologne)] == [
        "1 approver above GBP 500.00", "none", "1 approver, always",
    ]  # fmt: skip
    assert host("https://user:pass@erp.example.com:8443/db") == "erp.example.com"


@pytest.mark.parametrize("longest", [0.0, 0.004, 0.09, 0.31, 1.0, 3.3, 7.999, 24.0, 61.0, 5000.0])
def test_an_axis_covers_its_data_with_few_round_ticks(longest: float) -> None:
    end, ticks = axis(longest)
    assert end >= longest
    assert 3 <= len(ticks) <= 6
    assert ticks[0].text == "0"
    assert ticks[-1].text.endswith(" s")
    assert ticks[-1].at == 100


def test_a_strip_counts_only_what_passed() -> None:
    made = strip(
        "post", [TimingSample(1, "a"), TimingSample(2, "b"), TimingSample(3, "c"), TimingSample(30, "d", ok=False)], 40
    )
    assert made.median_text == "2.00 s"
    assert made.ends == (2.5, 7.5)
    assert "1 did not finish" in made.words
    assert [dot.ok for dot in made.dots] == [True, True, True, False]


def test_a_strip_of_very_many_runs_keeps_its_ends() -> None:
    made = strip("post", [TimingSample(i / 100, "t") for i in range(1, 1001)], 10)
    assert len(made.dots) == 60
    assert (made.dots[0].at, made.dots[-1].at) == (0.1, 100)


# --- the terminal, and colours -------------------------------------------------------------------------------------


def shown(results: list[RunResult], tenants: list[object]) -> str:
    console = Console(width=120, no_color=True, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(matrix_table(results, tenants, SCENARIOS))  # type: ignore[arg-type]
    return console.export_text()


def test_the_terminal_matrix_is_readable_without_colour(tmp_path: Path) -> None:
    text = shown(with_failures(TENANTS, SCENARIOS, tmp_path), list(TENANTS))
    assert re.search(r"invoicing-from-time .*✗ / ✗", text)
    assert re.search(r"procurement-approval .*– / –", text)  # noqa: RUF001
    assert re.search(r"credit-and-payment .*✓ / \?", text)
    assert "✗ failed" in text
    assert "3 of 62 checks failed" in text


def test_many_tenants_stand_below_each_other() -> None:
    tenants = [replace(TENANTS[0], id=f"tenant-{i:02}") for i in range(24)]
    results = [run("sign-in", t.id, c) for t in tenants for c in Channel]
    assert re.search(r"tenant-23 .*✓ / ✓", shown(results, list(tenants)))


def test_markup_in_names_does_not_reach_the_terminal() -> None:
    assert "[red]x" in shown([run("[red]x", "[bold]t", Channel.API)], [])


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "grounds"),
    [
        ("ink", ["bg", "panel"]), ("soft", ["bg", "panel"]), ("accent", ["bg", "panel"]), ("na", ["bg", "panel"]),
        ("ok", ["bg", "panel", "ok-bg"]), ("bad", ["bg", "panel"]), ("warn", ["bg", "panel", "warn-bg"]),
        ("gap", ["panel", "gap-bg"]), ("on-solid", ["bad-solid"]),
    ],
)  # fmt: skip
def test_text_has_enough_contrast(scheme: int, text: str, grounds: list[str]) -> None:
    roots = re.findall(r":root \{(.*?)\}", CSS.read_text(), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", roots[0]))
    if scheme:
        colours |= dict(re.findall(r"--([\w-]+): (#\w+)", roots[1]))
    for ground in grounds:
        light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{text} on {ground}"
