"""A run that did not pass leads to the user's own tools, and tells what the ERP's log said of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ringgate.domain.model import Attachment, Failure
from ringgate.domain.terms import Outcome
from ringgate.report import build_report
from tests.unit.report.sample import START, all_passed, eight_scenarios, four_tenants


def test_the_report_links_to_other_tools_and_shows_the_erps_log(tmp_path):
    tenants = [
        replace(each, links={"traces": "https://t.example.com/{trace_id}?a={marker}&x={nobody}"})
        for each in four_tenants()
    ]
    scenarios = eight_scenarios()
    runs = list(all_passed(tenants, scenarios))
    (tmp_path / "r1").mkdir()
    (tmp_path / "r1" / "erp-log.txt").write_text("ERROR <b>RG-r1</b>\n")
    runs[0] = replace(
        runs[0], run_id="r1", trace_id="f" * 32, outcome=Outcome.FAILED, failure=Failure("refused", "no"),
        attachments=(Attachment("log of the ERP", "log", "r1/erp-log.txt"),),
    )  # fmt: skip
    page = build_report(
        runs, tenants, scenarios, title="Nightly", generated_at=START + timedelta(hours=1),
        out=tmp_path / "report.html", attachments_root=tmp_path,
    ).read_text()  # fmt: skip
    href = f'<a href="https://t.example.com/{"f" * 32}?a=RG-r1&amp;x={{nobody}}" rel="noreferrer">traces</a>'
    assert page.count("https://t.example.com") == page.count(href) == 1
    assert "ERROR &lt;b&gt;RG-r1&lt;/b&gt;" in page
