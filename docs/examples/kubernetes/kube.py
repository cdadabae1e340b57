#!/usr/bin/env python3
"""Tenants on Kubernetes: each is a Helm release of `chart/` with `values/<tenant>.yaml`; kubectl and helm do the work.

kube.py status TENANT                       {"tenant": "aldgate", "series": "7.0", "busy": false, "artefacts": {...}}
kube.py backup|backups TENANT               {"name": ..., "taken_at": ..., "size": ..., "seconds": ...}, or a list
kube.py upgrade TENANT TO STEPS             {"backup": {...}}
kube.py roll-back TENANT BACKUP             nothing
kube.py restore TENANT BACKUP COPY ADDRESS  {"api": ADDRESS}
kube.py remove TENANT COPY                  nothing

Backup, restore and migration are Jobs, named after the idempotency key: asked for once more, the same Job is looked
at. What is under way on a tenant stands in the ConfigMap `ringgate-TENANT`, written before anything is changed, with
the number of the controller's lease. Ends with 0; with 1 and a sentence where the cluster said no, and then answers
{"doubtful": true} if something was only waited for in vain; with 75 where nobody can tell: the cluster cannot be
reached, or gives no clear answer.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from cluster import (
    HERE,
    CannotTell,
    Json,
    Look,
    Refused,
    condition,
    crashed,
    ended,
    found,
    helm,
    kubectl,
    last_words,
    listed,
    look,
    serve,
    values,
)

KEY = os.environ.get("RINGGATE_IDEMPOTENCY_KEY") or uuid4().hex
"""Of a call by hand a new one: else its backup would be the one that the last call took."""
LEASE = os.environ.get("RINGGATE_LEASE", "")
LOOK = float(os.environ.get("LOOK", "2"))
"""Seconds between two looks at a Job or a rollout. Both end by deadlines of their own, which the chart sets."""

IN_VAIN = ("DeadlineExceeded", "PodFailurePolicy")
"""Why a Job failed whose program did not."""


def status(tenant: str) -> Json:
    asked = datetime.now(UTC)
    now = look(tenant)
    wrong = ""
    if not now.busy:
        why = now.note.get("underway")
        wrong = f", {why} was cut off" if why else ", closed" if now.closed else f", {now.failed}" if now.failed else ""
    return {
        "tenant": tenant, "series": now.series + wrong, "busy": now.busy, "observed_at": asked.isoformat(),
        "artefacts": artefacts(tenant),
    }  # fmt: skip


def artefacts(tenant: str) -> dict[str, str]:
    """The image that runs, by what the nodes say of it; nothing where pods differ, or none is ready."""
    digests = set()
    for pod in listed("pods", f"app.kubernetes.io/instance={tenant}"):
        for each in pod.get("status", {}).get("containerStatuses") or []:
            digests.add(each.get("imageID", "").rpartition("@")[2] if condition(pod, "Ready") else "")
    digest = digests.pop() if len(digests) == 1 else ""
    return {"erp-image": digest} if re.fullmatch(r"sha256:[0-9a-f]{64}", digest) else {}


# --- what is under way ------------------------------------------------------------------------------------------------


def note(tenant: str, underway: str, now: Look | None = None, **more: str) -> None:
    """Notes what is under way on the tenant, "" for nothing. A lease lower than one seen before changes nothing, nor
    does a second writer: the ConfigMap must be as it was read."""
    now = now or look(tenant)
    if LEASE and int(now.note.get("lease") or 0) > int(LEASE):
        raise CannotTell(f"{tenant} is led by the lease {now.note['lease']}, and this command's is {LEASE}")
    data = {"underway": underway, "key": KEY, "lease": LEASE or now.note.get("lease", ""), **more}
    metadata: Json = {"name": f"ringgate-{tenant}", "labels": {"ringgate/note": tenant}}
    if now.version:
        metadata["resourceVersion"] = now.version
    kept = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    kubectl("replace" if now.version else "create", "--filename=-", stdin=json.dumps(kept))


def work(tenant: str, kind: str, series: str, *, again: bool = False, **more: Any) -> Json:
    """The Job of this kind and idempotency key, when it has ended well; one that is there already is looked at.
    `again`: one that failed may be done once more."""
    name = f"{tenant[:40]}-{kind}-{hashlib.sha256(f'{KEY}{kind}{more}'.encode()).hexdigest()[:10]}"
    job = found("job", name)
    if job and again and condition(job, "Failed"):
        kubectl("delete", "job", name, "--cascade=foreground", "--timeout=60s")
        job = None
    if job is None:
        what = {"kind": kind, "name": name, **more}
        chart = ["template", tenant, str(HERE / "chart"), "--show-only=templates/work.yaml"]
        kubectl("create", "--filename=-", stdin=helm(*chart, *values(tenant, series=series, work=what)))
    while not (job and (end := ended(job))):
        time.sleep(LOOK)
        job = found("job", name)
        if job is None:
            raise CannotTell(f"the Job {name} is gone before it ended")
    if end["type"] == "Failed":
        reason = end.get("reason", "")
        raise Refused(f"{kind}: {reason}. {last_words(name)}".strip(), doubtful=reason in IN_VAIN)
    return job


def close(tenant: str, series: str) -> None:
    serve(tenant, tenant, series=series, closed=True)
    while listed("pods", f"app.kubernetes.io/instance={tenant}"):
        time.sleep(LOOK)


def open_again(release: str, tenant: str, **more: Any) -> None:
    """Returns when it is served. Raises Refused where it never is: doubtful unless a container ended by itself."""
    serve(release, tenant, closed=False, **more)
    while not (now := look(release)).served:
        if now.failed:
            crash = crashed(release)
            raise Refused(f"{release} is not served: {now.failed}. {crash}".strip(), doubtful=not crash)
        time.sleep(LOOK)


# --- the actions ------------------------------------------------------------------------------------------------------


def backup(tenant: str) -> Json:
    return take_backup(tenant, look(tenant).series)


def take_backup(tenant: str, series: str) -> Json:
    """Kept as a ConfigMap, too, which outlives the Job and is what `backups` lists."""
    name = f"{tenant}-{hashlib.sha256(KEY.encode()).hexdigest()[:10]}"
    if kept := found("configmap", f"backup-{name}"):
        return told(kept)
    job = work(tenant, "backup", series, again=True, backup=name)
    began, done = (datetime.fromisoformat(job["status"][each]) for each in ("startTime", "completionTime"))
    size = re.sub(r"\D", "", last_words(job["metadata"]["name"])) or "0"
    data = {"name": name, "series": series, "taken_at": began.isoformat(), "size": size,
            "seconds": str((done - began).total_seconds())}  # fmt: skip
    labels = {"ringgate/backup-of": tenant}
    kept = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"backup-{name}", "labels": labels},
        "data": data,
    }
    kubectl("create", "--filename=-", stdin=json.dumps(kept))
    return told(kept)


def told(kept: Json) -> Json:
    data = kept["data"]
    return {
        "name": data["name"],
        "taken_at": data["taken_at"],
        "size": int(data["size"]),
        "seconds": float(data["seconds"]),
    }


def backups(tenant: str) -> list[Json]:
    return [told(each) for each in listed("configmaps", f"ringgate/backup-of={tenant}")]


def kept_backup(name: str) -> Json:
    kept = found("configmap", f"backup-{name}")
    if kept is None:
        raise Refused(f"there is no backup {name}")
    data: Json = kept["data"]
    return data


def upgrade(tenant: str, to: str, steps: str) -> Json:
    """Close, back up, run the manual steps, migrate, serve. What is refused on the way leaves the tenant as it was."""
    now = look(tenant)
    if now.series == to and now.served and not now.note.get("underway"):
        return {}
    if now.note.get("underway") and now.note.get("key") != KEY:
        raise Refused(f"{now.note['underway']} was cut off on it, and was not repaired")
    wanted = json.loads(Path(steps).read_text(encoding="utf-8"))
    if other := [each["name"] for each in wanted if not each.get("sql")]:
        raise Refused(f"manual steps that are no SQL are not done here: {', '.join(other)}")
    before = now.note.get("before") or now.series
    scripts = {f"step-{number:03d}.sql": each["sql"] for number, each in enumerate(wanted)}
    note(tenant, f"upgrade to {to}", now, before=before, **scripts)
    taken = None
    try:
        close(tenant, before)
        taken = take_backup(tenant, before)
        work(tenant, "migrate", to, steps=len(scripts))
        open_again(tenant, tenant, series=to)
    except Refused as no:
        try:
            put_back(tenant, before, taken["name"] if taken else "")
        except Refused as second:
            raise Refused(f"{no} It could not be brought back, either: {second}") from no
        raise
    note(tenant, "")
    return {"backup": taken}


def put_back(tenant: str, series: str, name: str) -> None:
    """The tenant is served from the backup ("": from what is there), by this series."""
    close(tenant, series)
    if name:
        work(tenant, "restore", series, again=True, backup=name, database=tenant)
    open_again(tenant, tenant, series=series)
    note(tenant, "")


def roll_back(tenant: str, name: str) -> None:
    kept = kept_backup(name)
    note(tenant, f"rollback to {name}")
    put_back(tenant, kept["series"], name)


def restore(tenant: str, name: str, copy: str, address: str) -> Json:
    kept = kept_backup(name)
    work(tenant, "restore", kept["series"], again=True, backup=name, database=copy)
    open_again(copy, tenant, series=kept["series"], database=copy, host=urlsplit(address).hostname)
    return {"api": address}


def remove(tenant: str, copy: str) -> None:
    """Whatever there is of the copy: a restore under way is ended, its release and its database are removed."""
    if copy == tenant:
        raise Refused(f"{copy} is the tenant itself")
    kubectl(
        "delete",
        "jobs",
        f"--selector=ringgate/database={copy},ringgate/work=restore",
        "--cascade=foreground",
        "--timeout=120s",
    )
    helm("uninstall", copy, "--ignore-not-found")
    work(tenant, "drop", look(tenant).series, again=True, database=copy)


ACTIONS: dict[str, Callable[..., Any]] = {
    "status": status, "backup": backup, "backups": backups, "upgrade": upgrade, "roll-back": roll_back,
    "restore": restore, "remove": remove,
}  # fmt: skip


def main(action: str, *words: str) -> int:
    try:
        answer = ACTIONS[action](*words)
    except Refused as no:
        if no.doubtful:
            print(json.dumps({"doubtful": True}))
        print(no, file=sys.stderr)
        return 1
    except (CannotTell, OSError, ValueError, KeyError) as why:
        print(f"{type(why).__name__}: {why}", file=sys.stderr)
        return 75
    if answer is not None:
        print(json.dumps(answer))
    return 0


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ACTIONS:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
