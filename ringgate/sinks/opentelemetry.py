"""Traces of runs to an OpenTelemetry collector: a span for each run, with its steps below it, under the run's trace id.

Switched on by the standard variables, for an installation with `pip install ringgate[otlp]`:

    OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318 pytest suites
    OTEL_EXPORTER_OTLP_HEADERS, OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER ... count, too

The trace id is what a metric's exemplar names and what the ERP was sent as `traceparent`: an ERP that reports spans of
its own appears in the same trace. A collector that does not answer costs traces, never a run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ringgate.domain.events import Event, RunFinished
from ringgate.domain.model import Failure, RunResult
from ringgate.domain.terms import Outcome
from ringgate.host.secrets import redact

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_trace: ContextVar[str] = ContextVar("trace")


def wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the standard variables ask for traces."""
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return (
        not off and environment.get("OTEL_TRACES_EXPORTER", "otlp") == "otlp" and any(map(environment.get, _ENDPOINTS))
    )


def obstacle(environment: Mapping[str, str] = os.environ) -> str:
    """Why traces that are wanted cannot be sent; "" if they can."""
    if any(find_spec(name) is None for name in ("opentelemetry", "requests")) or not _exporter_is_there():
        return "traces are asked for (OTEL_EXPORTER_OTLP_ENDPOINT), but not installed: pip install ringgate[otlp]"
    protocol = environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol and protocol != "http/protobuf":
        return f"traces are sent by http/protobuf alone, not by {protocol}: set OTEL_EXPORTER_OTLP_PROTOCOL"
    return ""


def _exporter_is_there() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False


class OpenTelemetrySink:
    """Sends each run as one trace when it is over. To be closed, so that the last ones are sent, too."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._provider = _provider(environment)
        self._tracer = self._provider.get_tracer("ringgate")

    def on(self, event: Event) -> None:
        if isinstance(event, RunFinished) and event.result.outcome is not Outcome.SKIPPED:
            self._send(event.result)

    def _send(self, result: RunResult) -> None:
        from opentelemetry.context import Context
        from opentelemetry.trace import set_span_in_context

        ended = result.started_at + timedelta(seconds=result.seconds + result.undo_seconds)
        with _under(result.trace_id):
            # An empty context: a run is a trace of its own, whatever else is traced in this process.
            span = self._tracer.start_span(
                result.scenario, Context(), attributes=_attributes(result), start_time=_nanoseconds(result.started_at)
            )
            below = set_span_in_context(span, Context())
            for step in result.steps:
                began = result.started_at + timedelta(seconds=step.start)
                said = {
                    "test.case.name": f"{result.scenario}/{step.name}",
                    "test.case.result.status": _CASE_STATUS.get(step.outcome, step.outcome.value),
                }
                child = self._tracer.start_span(step.name, below, attributes=said, start_time=_nanoseconds(began))
                failure = result.failure if result.failure and result.failure.step == step.name else None
                _mark(child, step.outcome, failure)
                child.end(_nanoseconds(began + timedelta(seconds=step.seconds)))
            if result.undo_seconds:
                began = result.started_at + timedelta(seconds=result.seconds)
                undo = self._tracer.start_span(
                    "undo", below, start_time=_nanoseconds(began), attributes={"ringgate.residue": len(result.residue)}
                )
                undo.end(_nanoseconds(ended))
            _mark(span, result.outcome, result.failure)
            span.end(_nanoseconds(ended))

    def close(self) -> None:
        """Sends what waits; gives up after the exporter's own time-out."""
        self._provider.shutdown()


@contextmanager
def _under(trace_id: str) -> Iterator[None]:
    token = _trace.set(trace_id)
    try:
        yield
    finally:
        _trace.reset(token)


def _provider(environment: Mapping[str, str]) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Ids(RandomIdGenerator):
        """A new trace has the id of its run."""

        def generate_trace_id(self) -> int:
            return int(_trace.get(), 16)

    named = "OTEL_SERVICE_NAME" in environment or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    resource = Resource.create({**pipeline(environment), **({} if named else {SERVICE_NAME: "ringgate"})})
    provider = TracerProvider(resource=resource, id_generator=Ids(), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


_SUITE_STATUS = {Outcome.PASSED: "success", Outcome.FAILED: "failure", Outcome.STOPPED: "aborted"}
_CASE_STATUS = {Outcome.PASSED: "pass", Outcome.FAILED: "fail"}
"""Values of the conventions; for what they have no word (`broken`), the outcome's own stands, as they allow."""

_PIPELINES = (
    # the variable that says which system it is, and its variables by attribute
    ("GITHUB_ACTIONS", {
        "cicd.pipeline.name": "GITHUB_WORKFLOW",
        "cicd.pipeline.run.id": "GITHUB_RUN_ID",
        "cicd.pipeline.task.name": "GITHUB_JOB",
        "cicd.worker.name": "RUNNER_NAME",
    }),
    ("GITLAB_CI", {
        "cicd.pipeline.name": "CI_PROJECT_PATH",
        "cicd.pipeline.run.id": "CI_PIPELINE_ID",
        "cicd.pipeline.run.url.full": "CI_PIPELINE_URL",
        "cicd.pipeline.task.name": "CI_JOB_NAME",
        "cicd.pipeline.task.run.id": "CI_JOB_ID",
        "cicd.pipeline.task.run.url.full": "CI_JOB_URL",
        "cicd.worker.id": "CI_RUNNER_ID",
    }),
    ("JENKINS_URL", {
        "cicd.pipeline.name": "JOB_NAME",
        "cicd.pipeline.run.id": "BUILD_ID",
        "cicd.pipeline.run.url.full": "BUILD_URL",
        "cicd.pipeline.task.name": "STAGE_NAME",
        "cicd.worker.name": "NODE_NAME",
    }),
)  # fmt: skip


def pipeline(environment: Mapping[str, str]) -> dict[str, str]:
    """The CI pipeline that this process belongs to, by the conventions `cicd.*`; nothing outside of one."""
    for system, names in _PIPELINES:
        if environment.get(system):
            said = {key: environment[name] for key, name in names.items() if environment.get(name)}
            if system == "GITHUB_ACTIONS" and {"GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"} <= set(
                environment
            ):
                said["cicd.pipeline.run.url.full"] = (
                    f"{environment['GITHUB_SERVER_URL']}/{environment['GITHUB_REPOSITORY']}"
                    f"/actions/runs/{environment['GITHUB_RUN_ID']}"
                )
            return {**said, "cicd.pipeline.task.type": "test"}
    return {}


def _attributes(result: RunResult) -> dict[str, str | int]:
    """A run is a suite of steps and, beside other runs, a case."""
    said: dict[str, str | int] = {
        "test.suite.name": result.scenario,
        "test.suite.run.status": _SUITE_STATUS.get(result.outcome, result.outcome.value),
        "test.case.name": f"{result.scenario}[{result.tenant}-{result.channel.value}]",
        "test.case.result.status": _CASE_STATUS.get(result.outcome, result.outcome.value),
        "ringgate.run": result.run_id,
        "ringgate.scenario": result.scenario,
        "ringgate.tenant": result.tenant,
        "ringgate.ring": result.ring,
        "ringgate.channel": result.channel.value,
        "ringgate.outcome": result.outcome.value,
        "ringgate.source": result.source.value,
        "ringgate.release": result.release,
        "ringgate.calls": result.calls,
    }
    return {key: value for key, value in said.items() if value != ""}


def _mark(span: Span, outcome: Outcome, failure: Failure | None) -> None:
    from opentelemetry.trace import StatusCode

    if outcome is Outcome.PASSED:
        span.set_status(StatusCode.OK)
    if outcome in (Outcome.PASSED, Outcome.STOPPED):  # stopped is no error, and no success
        return
    span.set_status(StatusCode.ERROR, redact(failure.message) if failure else outcome.value)
    if failure:
        span.set_attribute("error.type", failure.kind)


def _nanoseconds(moment: datetime) -> int:
    return round(moment.astimezone(UTC).timestamp() * 1_000_000) * 1000
