"""Traces reach a real OTLP receiver: a run is one trace with its steps, under its own trace id, and holds no secret."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ringgate.domain.events import RunFinished
from ringgate.domain.model import Failure, RunResult, Step
from ringgate.domain.terms import Channel, Outcome, Source
from ringgate.execution import setup
from ringgate.host.secrets import hide
from ringgate.sinks.opentelemetry import _PIPELINES, OpenTelemetrySink, _attributes, obstacle, pipeline, wanted

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOON_NS = int(NOON.timestamp()) * 10**9
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Receiver:
    """An OTLP/HTTP receiver: what it was sent, decoded, and the raw bytes of it."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        self.headers: list[dict[str, str]] = []
        self.raw = b""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                receiver.raw += body
                receiver.headers.append(dict(self.headers))
                receiver.requests.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def spans(self):
        return [s for r in self.requests for rs in r.resource_spans for ss in rs.scope_spans for s in ss.spans]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    receiver = Receiver()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{receiver.server.server_port}")
    for name in ("OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_SERVICE_NAME"):
        monkeypatch.delenv(name, raising=False)
    yield receiver
    receiver.close()


def result(**changes) -> RunResult:
    values = {
        "run_id": "r1", "trace_id": TRACE, "scenario": "time-entry", "tenant": "aldgate", "ring": "canary",
        "channel": Channel.API, "outcome": Outcome.PASSED, "started_at": NOON, "seconds": 2.0, "undo_seconds": 0.5,
        "steps": (Step("log in", 0.0, 0.25, Outcome.PASSED), Step("enter time", 0.25, 1.5, Outcome.PASSED)),
        "release": "8.0", "source": Source.PROBE,
    }  # fmt: skip
    return RunResult(**{**values, **changes})


def sent(receiver: Receiver, *results: RunResult):
    sink = OpenTelemetrySink()
    for each in results:
        sink.on(RunFinished(each))
    sink.close()
    return {span.name: span for span in receiver.spans}


def attributes(span) -> dict[str, str]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_a_run_is_one_trace_with_its_steps_and_its_undoing(receiver):
    spans = sent(receiver, result())
    assert set(spans) == {"time-entry", "log in", "enter time", "undo"}
    assert {span.trace_id.hex() for span in spans.values()} == {TRACE}
    root = spans["time-entry"]
    assert root.parent_span_id == b""
    assert {spans[name].parent_span_id for name in ("log in", "enter time", "undo")} == {root.span_id}
    assert (root.start_time_unix_nano - NOON_NS, root.end_time_unix_nano - NOON_NS) == (0, 2_500_000_000)
    step = spans["enter time"]
    assert (step.start_time_unix_nano - NOON_NS, step.end_time_unix_nano - NOON_NS) == (250_000_000, 1_750_000_000)
    said = attributes(root)
    assert (said["ringgate.tenant"], said["ringgate.release"], said["ringgate.outcome"]) == ("aldgate", "8.0", "passed")


def test_each_run_has_its_own_trace(receiver):
    sent(receiver, result(), result(run_id="r2", trace_id="a" * 32))
    assert {span.trace_id.hex() for span in receiver.spans if span.name == "time-entry"} == {TRACE, "a" * 32}


def test_a_failed_step_and_its_run_say_why_without_secrets(receiver):
    hide("hunter2-hunter2")
    failure = Failure("sign-in", "refused hunter2-hunter2 of the accountant", "enter time")
    steps = (Step("enter time", 0.25, 1.5, Outcome.FAILED),)
    spans = sent(receiver, result(outcome=Outcome.FAILED, failure=failure, steps=steps))
    for name in ("time-entry", "enter time"):
        assert spans[name].status.code == 2
        assert spans[name].status.message == "refused *** of the accountant"
        assert attributes(spans[name])["error.type"] == "sign-in"
    assert b"hunter2" not in receiver.raw


def test_what_was_skipped_is_no_trace(receiver):
    assert sent(receiver, result(outcome=Outcome.SKIPPED, steps=())) == {}


def test_headers_and_service_name_are_those_of_the_standard_variables(receiver, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=ops")
    sent(receiver, result())
    (resource,) = receiver.requests[0].resource_spans
    assert {a.key: a.value.string_value for a in resource.resource.attributes}["service.name"] == "ringgate"
    assert {key.lower(): value for key, value in receiver.headers[0].items()}["x-tenant"] == "ops"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "probes")
    sent(receiver, result())
    resource = receiver.requests[1].resource_spans[0]
    assert {a.key: a.value.string_value for a in resource.resource.attributes}["service.name"] == "probes"


def test_an_engine_sends_traces_where_the_environment_asks_for_them(receiver, monkeypatch, tmp_path):
    monkeypatch.setenv("RINGGATE_STATE", str(tmp_path))
    with setup.engine([], session="s") as engine:
        for sink in engine.sinks:
            sink.on(RunFinished(result()))
    assert {span.name for span in receiver.spans} >= {"time-entry"}


@pytest.mark.parametrize(
    ("environment", "answer"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_switch_traces_on_and_off(environment, answer):
    assert wanted(environment) is answer


def test_another_protocol_is_told_instead_of_being_tried(monkeypatch, tmp_path, capsys):
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert "not by grpc" in obstacle(environment)
    for name, value in {**environment, "RINGGATE_STATE": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with setup.engine([], session="s") as engine:
        assert len(engine.sinks) == 1
    assert "not by grpc" in capsys.readouterr().err


def test_spans_follow_the_conventions_for_tests_and_pipelines(receiver, monkeypatch):
    for name, value in {
        "GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW": "Release gate", "GITHUB_RUN_ID": "7", "GITHUB_JOB": "gate",
        "GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "acme/erp",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    failure = Failure("expectation", "hours: expected 7.5, but it is 7", "enter time")
    steps = (Step("log in", 0.0, 0.25, Outcome.PASSED), Step("enter time", 0.25, 1.5, Outcome.FAILED))
    spans = sent(receiver, result(outcome=Outcome.FAILED, failure=failure, steps=steps))
    run = attributes(spans["time-entry"])
    assert (run["test.suite.name"], run["test.suite.run.status"]) == ("time-entry", "failure")
    assert (run["test.case.name"], run["test.case.result.status"]) == ("time-entry[aldgate-api]", "fail")
    cases = [attributes(spans[name]) for name in ("log in", "enter time")]
    assert [(case["test.case.name"], case["test.case.result.status"]) for case in cases] == [
        ("time-entry/log in", "pass"), ("time-entry/enter time", "fail"),
    ]  # fmt: skip
    resource = attributes(receiver.requests[0].resource_spans[0].resource)
    assert {key: value for key, value in resource.items() if key.startswith("cicd.")} == {
        "cicd.pipeline.name": "Release gate",
        "cicd.pipeline.run.id": "7",
        "cicd.pipeline.run.url.full": "https://github.example/acme/erp/actions/runs/7",
        "cicd.pipeline.task.name": "gate",
        "cicd.pipeline.task.type": "test",
    }


def test_names_of_the_conventions_are_those_of_the_installed_package():
    from opentelemetry.semconv._incubating.attributes import cicd_attributes, test_attributes

    known = {value for module in (cicd_attributes, test_attributes) for value in vars(module).values()
             if isinstance(value, str)}  # fmt: skip
    said = {key for _, names in _PIPELINES for key in names} | set(_attributes(result()))
    assert {key for key in said if not key.startswith("ringgate.")} <= known


def test_outside_of_a_pipeline_no_pipeline_is_named():
    assert pipeline({"HOME": "/root"}) == {}
