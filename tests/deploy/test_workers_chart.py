"""The Helm chart of a region's workers: what helm makes of it, and what Kubernetes' own schemas say of that."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "workers"
REGIONS = sorted(CHART.glob("regions/*.yaml"))
KEDA = """
const { ScaledObject } = require("@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject");
const found = [];
try { new ScaledObject(JSON.parse(require("fs").readFileSync(process.argv.at(-1), "utf8"))).validate(); }
catch (error) { found.push(error.message); }
console.log(JSON.stringify(found));
"""

Helm = Callable[..., subprocess.CompletedProcess[str]]
Rendered = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def helm(kubernetes_programs) -> Helm:
    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [str(kubernetes_programs / "helm"), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def rendered(helm) -> Rendered:
    """What the chart becomes, by kind."""

    def run(*options: object) -> dict[str, dict[str, Any]]:
        done = helm("template", "workers", CHART, *options)
        assert done.returncode == 0, done.stderr
        return {each["kind"]: each for each in yaml.safe_load_all(done.stdout)}

    return run


@pytest.fixture(params=REGIONS, ids=lambda path: path.stem)
def region(request) -> Path:
    return request.param


def test_helm_finds_nothing_wrong_and_kubernetes_takes_what_it_makes(helm, rendered, region, python_checkers, tmp_path):
    linted = helm("lint", "--strict", CHART, "--values", region)
    assert linted.returncode == 0, linted.stdout
    kinds = rendered("--values", region)
    scaled = {"HorizontalPodAutoscaler", "ScaledObject"} & set(kinds)
    assert len(scaled) == 1
    assert set(kinds) - scaled == {"ServiceAccount", "Service", "PodDisruptionBudget", "StatefulSet"}
    path = tmp_path / "region.yaml"
    path.write_text(yaml.safe_dump_all(each for kind, each in kinds.items() if kind != "ScaledObject"))
    done = subprocess.run(
        [python_checkers / "kubernetes-validate", "--strict", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_worker_is_rootless_probed_and_keeps_what_it_wrote(rendered, region):
    stateful = rendered("--values", region)["StatefulSet"]["spec"]
    pod = stateful["template"]["spec"]
    (worker,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert worker["securityContext"]["readOnlyRootFilesystem"]
    assert {worker[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe")} == {"/healthz"}
    assert worker["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert stateful["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    kept = {each["mountPath"] for each in worker["volumeMounts"] if each["name"] == "state"}
    assert kept == {"/var/lib/ringgate", "/app/reports/out"}
    grace = int(next(each.partition("=")[2] for each in worker["args"] if each.startswith("--grace=")))
    assert pod["terminationGracePeriodSeconds"] > grace


def test_a_budget_and_a_service_are_of_the_workers_alone(rendered, region):
    kinds = rendered("--values", region)
    labels = kinds["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        kinds["Service"]["spec"]["selector"],
    ):
        assert selector.items() <= labels.items()
        assert selector["app.kubernetes.io/instance"] == "workers"


def test_no_secret_is_in_what_helm_makes(rendered, region):
    (worker,) = rendered("--values", region)["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    results = next(each for each in worker["env"] if each["name"] == "RINGGATE_RESULTS")
    assert results["valueFrom"] == {"secretKeyRef": {"name": "ringgate", "key": "results-url"}}
    assert worker["envFrom"] == [{"secretRef": {"name": "ringgate-users"}}]


def test_regions_are_scaled_by_the_age_of_their_own_queue(rendered, node_checker, tmp_path):
    hpa = rendered("--values", CHART / "regions" / "eu-west.yaml")["HorizontalPodAutoscaler"]["spec"]
    metric = hpa["metrics"][0]["external"]["metric"]
    assert metric == {"name": "ringgate_queue_age_seconds", "selector": {"matchLabels": {"region": "eu-west"}}}
    keda = rendered("--values", CHART / "regions" / "us-east.yaml")["ScaledObject"]
    assert keda["spec"]["triggers"][0]["metadata"]["query"] == 'max(ringgate_queue_age_seconds{region="us-east"})'
    path = tmp_path / "scaled.json"
    path.write_text(json.dumps(keda))
    assert json.loads(node_checker(KEDA, path).stdout) == []
    path.write_text(json.dumps(keda).replace('"maxReplicaCount": 20', '"maxReplicaCount": "20"'))
    assert "maxReplicaCount" in json.loads(node_checker(KEDA, path).stdout)[0]


def test_where_something_scales_no_number_of_workers_is_set(rendered, region):
    assert "replicas" not in rendered("--values", region)["StatefulSet"]["spec"]
    assert rendered("--values", region, "--set=autoscaling.by=none")["StatefulSet"]["spec"]["replicas"] == 2


def test_an_image_is_taken_by_its_digest_where_there_is_one(rendered, region):
    digest = f"sha256:{'ab' * 32}"
    made = rendered("--values", region, f"--set=image.digest={digest}")["StatefulSet"]["spec"]["template"]["spec"]
    assert made["containers"][0]["image"] == f"registry.example.com/ringgate@{digest}"


def test_all_that_is_wrong_with_values_is_told_at_once(helm):
    wrong = "region=EU,autoscaling.min=1,autoscaling.by=keda,worker.thread=3,image.digest=latest"
    done = helm("template", "workers", CHART, f"--set={wrong}")
    assert done.returncode
    for key in ("/region", "/autoscaling/min", "/autoscaling/prometheus", "'thread'", "/image/digest"):
        assert key in done.stderr
    assert "/region" in helm("template", "workers", CHART).stderr  # which must be named
    assert (
        "more than autoscaling.max" in helm("template", "workers", CHART, "--set=region=eu,autoscaling.min=20").stderr
    )


def test_a_worker_is_started_as_ringgate_offers_it(rendered, region):
    (worker,) = rendered("--values", region)["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    command, *options = worker["args"]
    done = subprocess.run(
        [sys.executable, "-m", "ringgate.cli", command, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [each for each in options if not re.search(rf"{each.partition('=')[0]}\b", done.stdout)] == []
