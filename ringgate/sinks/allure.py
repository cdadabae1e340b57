"""Allure: each step of a run with its timing, and the evidence of one that did not pass, in the test that ran it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import allure
from allure_commons import hookimpl, plugin_manager
from allure_commons.model2 import Status

from ringgate.domain.events import Event, RunFinished, RunStarted, StepFinished, StepStarted
from ringgate.domain.terms import Outcome
from ringgate.host.secrets import redact

_STATUS = {Outcome.FAILED: Status.FAILED, Outcome.BROKEN: Status.BROKEN}
_TYPES = {
    "screenshot": allure.attachment_type.PNG,
    "text": allure.attachment_type.TEXT,
    "log": allure.attachment_type.TEXT,
}


class AllureSink:
    """To be used inside a pytest process with allure-pytest active. Registered with Allure, it also takes secrets out
    of every result and says of each run whose fault its failure is, where Allure goes by the class of the error."""

    def __init__(self, evidence: Path) -> None:
        self._evidence, self._step = evidence, ""
        self._outcomes: dict[str, Outcome] = {}

    def register(self) -> None:
        plugin_manager.register(self)

    def unregister(self) -> None:
        plugin_manager.unregister(self)

    @hookimpl(tryfirst=True)  # before the result is written
    def report_result(self, result: Any) -> None:
        run = next((each.value for each in result.parameters if each.name == "run"), "")
        outcome = self._outcomes.get(run.strip("'"))
        if outcome in _STATUS and result.status in _STATUS.values():
            result.status = _STATUS[outcome]
        _redact(result)

    @hookimpl(tryfirst=True)
    def report_container(self, container: Any) -> None:
        _redact(container)

    def on(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._label(event)
        elif isinstance(event, StepStarted):
            self._step = str(uuid4())
            plugin_manager.hook.start_step(uuid=self._step, title=event.name, params={})
        elif isinstance(event, StepFinished):
            error = None if event.step.outcome is Outcome.PASSED else AssertionError(event.message)
            kind = type(error) if error else None
            plugin_manager.hook.stop_step(
                uuid=self._step, title=event.step.name, exc_type=kind, exc_val=error, exc_tb=None
            )
        elif isinstance(event, RunFinished):
            self._outcomes[event.result.run_id] = event.result.outcome
            self._attach(event)

    def _label(self, event: RunStarted) -> None:
        allure.dynamic.feature(event.scenario.title)
        allure.dynamic.tag(event.tenant.ring, event.channel.value)
        allure.dynamic.parameter("tenant", event.tenant.id)
        allure.dynamic.parameter("channel", event.channel.value)
        allure.dynamic.parameter("run", event.run_id, excluded=True)

    def _attach(self, event: RunFinished) -> None:
        for attachment in event.result.attachments:
            path = self._evidence / attachment.path
            if attachment.kind == "trace":
                allure.attach.file(path, name=attachment.name, attachment_type="application/zip", extension="zip")
            else:
                allure.attach.file(path, name=attachment.name, attachment_type=_TYPES.get(attachment.kind))


def _redact(value: Any) -> Any:
    """Allure's records are changed in place; texts and lists are made anew."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list):
        return [_redact(each) for each in value]
    for each in getattr(value, "__attrs_attrs__", ()):
        setattr(value, each.name, _redact(getattr(value, each.name)))
    return value
