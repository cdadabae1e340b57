"""What kubectl and helm say of a tenant, and how they are asked."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

HERE = Path(__file__).resolve().parent
NAMESPACE = os.environ.get("NAMESPACE", "erp")
Json: TypeAlias = dict[str, Any]

NO = re.compile(r"\((Invalid|Forbidden|BadRequest)\)|is invalid:|is forbidden:|denied the request|execution error at")
"""What kubectl and helm say where the server, or the chart, refuses; anything else says that nobody can tell."""


class Refused(Exception):
    """The cluster understood, and said no. `doubtful`: something was only waited for in vain."""

    def __init__(self, sentence: str, *, doubtful: bool = False) -> None:
        super().__init__(sentence)
        self.doubtful = doubtful


class CannotTell(Exception):
    """No clear answer."""


# --- kubectl and helm -------------------------------------------------------------------------------------------------


def ask(*command: str, stdin: str = "") -> str:
    """What the program printed. Raises Refused where the server says no, else CannotTell."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return done.stdout
    said = f"{' '.join(command[:2])}: {' '.join(done.stderr.split())[-1000:]}"
    raise Refused(said) if NO.search(done.stderr) else CannotTell(said)


def kubectl(*words: str, stdin: str = "") -> str:
    return ask("kubectl", words[0], f"--namespace={NAMESPACE}", "--request-timeout=30s", *words[1:], stdin=stdin)


def found(kind: str, name: str) -> Json | None:
    text = kubectl("get", kind, name, "--ignore-not-found", "--output=json")
    return json.loads(text) if text.strip() else None


def listed(kind: str, selector: str) -> list[Json]:
    items: list[Json] = json.loads(kubectl("get", kind, f"--selector={selector}", "--output=json"))["items"]
    return items


def helm(*words: str, stdin: str = "") -> str:
    return ask("helm", words[0], f"--namespace={NAMESPACE}", *words[1:], stdin=stdin)


def values(tenant: str, **more: Any) -> list[str]:
    """Helm's options for a tenant's values, and these on top."""
    own = HERE / "values" / f"{tenant}.yaml"
    files = [f"--values={own}"] if own.is_file() else []
    return [*files, *(f"--set-json={name}={json.dumps(value)}" for name, value in more.items())]


def serve(release: str, tenant: str, **more: Any) -> None:
    """Brings a Helm release to these values. What an earlier call was killed in the middle of is taken up again: by
    itself Helm says for ever that another operation is in progress. Ringgate runs one command of a tenant at a time."""
    store = os.environ.get("HELM_DRIVER", "secret")
    pending = "status in (pending-install, pending-upgrade, pending-rollback)"
    kubectl("delete", store, f"--selector=owner=helm,name={release},{pending}", "--ignore-not-found")
    helm("upgrade", release, str(HERE / "chart"), "--install", *values(tenant, **more))


# --- what is so now ---------------------------------------------------------------------------------------------------


def condition(thing: Json, *kinds: str) -> Json | None:
    conditions = thing.get("status", {}).get("conditions") or []
    return next((each for each in conditions if each["type"] in kinds and each["status"] == "True"), None)


def ended(job: Json) -> Json | None:
    return condition(job, "Complete", "Failed")


@dataclass(frozen=True)
class Look:
    """A tenant now. `failed` says why its rollout came to nothing, "" for one that is under way or done."""

    series: str
    closed: bool
    served: bool
    failed: str
    working: bool  # a Job of the tenant's has not ended
    note: Json  # the ConfigMap's data
    version: str  # of the ConfigMap, "" for none

    @property
    def busy(self) -> bool:
        return self.working or not (self.closed or self.served or self.failed)


def look(tenant: str) -> Look:
    deployment = found("deployment", tenant)
    if deployment is None:
        raise Refused(f"there is no Deployment {tenant} in the namespace {NAMESPACE}")
    note = found("configmap", f"ringgate-{tenant}") or {}
    wanted = deployment["spec"].get("replicas", 1)
    return Look(
        series=deployment["spec"]["template"]["metadata"]["labels"].get("app.kubernetes.io/version", ""),
        closed=wanted == 0,
        served=rolled_out(deployment, wanted),
        failed=stuck(deployment),
        working=any(not ended(job) for job in listed("jobs", f"ringgate/tenant={tenant}")),
        note=note.get("data") or {},
        version=note.get("metadata", {}).get("resourceVersion", ""),
    )


def rolled_out(deployment: Json, wanted: int) -> bool:
    """Every pod is of the newest template, and ready; of what an older generation came to nothing is believed."""
    status = deployment.get("status", {})
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    counts = [status.get(each, 0) for each in ("replicas", "updatedReplicas", "availableReplicas")]
    return bool(seen and wanted and counts == [wanted] * 3)


def stuck(deployment: Json) -> str:
    status = deployment.get("status", {})
    if status.get("observedGeneration", 0) < deployment["metadata"]["generation"]:
        return ""
    said = [
        each for each in status.get("conditions") or [] if each["type"] == "Progressing" and each["status"] == "False"
    ]
    return str(said[0].get("reason", "")) if said else ""


def last_words(job: str) -> str:
    """What the Job's containers said last: the kubelet keeps it in the pod."""
    said = []
    for pod in listed("pods", f"batch.kubernetes.io/job-name={job}"):
        at = pod.get("status", {})
        for each in [*(at.get("initContainerStatuses") or []), *(at.get("containerStatuses") or [])]:
            said.append((each.get("state", {}).get("terminated") or {}).get("message", ""))
    return " ".join(" ".join(filter(None, said)).split())[-1000:]


def crashed(release: str) -> str:
    for pod in listed("pods", f"app.kubernetes.io/instance={release}"):
        for each in pod.get("status", {}).get("containerStatuses") or []:
            ends = [each.get(when, {}).get("terminated") for when in ("state", "lastState")]
            if end := next(filter(None, ends), None):
                return f"A container ended with {end.get('exitCode')}: {end.get('message', '')}"[-1000:]
    return ""
