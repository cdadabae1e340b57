"""Everything that pytest reports is redacted: results, captured output, logs, its own failures.

It is done where the secret was revealed, in the worker, before a report is sent, shown or written to any file.
"""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import pytest

from ringgate.host.secrets import RedactingFilter, redact

LOG_HANDLERS = ("caplog_handler", "report_handler", "log_file_handler", "log_cli_handler")


def clean(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Take every secret out of a report, in place."""
    report.longrepr = redacted(report.longrepr)
    report.sections = redacted(report.sections)
    if isinstance(report, pytest.TestReport):
        report.user_properties = redacted(report.user_properties)


def redacted(value: Any) -> Any:
    """The same with every text in it redacted; what cannot be made anew, such as pytest's own records, in place."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, (list, tuple)):
        return type(value)(map(redacted, value))
    if isinstance(value, dict):
        return {key: redacted(each) for key, each in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for each in dataclasses.fields(value):
            object.__setattr__(value, each.name, redacted(getattr(value, each.name)))
    return value


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_make_collect_report() -> Any:
    report = yield
    clean(report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: Any) -> None:
    redacted(excrepr)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Logs as they are shown, kept and written by pytest. Its handlers are there by now."""
    plugin = session.config.pluginmanager.get_plugin("logging-plugin")
    for name in LOG_HANDLERS:
        handler = getattr(plugin, name, None)
        if isinstance(handler, logging.Handler):
            handler.addFilter(RedactingFilter())
