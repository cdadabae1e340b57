"""Allure: each step of a run with its timing, and the evidence of one that did not pass, in the test that ran it."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import allure
from allure_commons import plugin_manager

from ringgate.domain.events import Event, RunFinished, RunStarted, StepFinished, StepStarted
from ringgate.domain.model import Outcome

_TYPES = {"screenshot": allure.attachment_type.PNG, "text": allure.attachment_type.TEXT}


class AllureSink:
    """To be used inside a pytest process with allure-pytest active."""

    def __init__(self, evidence: Path) -> None:
        self._evidence, self._step = evidence, ""

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
