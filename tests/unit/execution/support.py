"""A driver that is a notebook: no ERP, only a list of what was called; and processes that run over it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ringgate.api import PROJECT_MANAGER, PROJECTS, REVERSIBLE, scenario
from ringgate.domain.documents import Project, Ref
from ringgate.domain.errors import ErpUnavailable
from ringgate.domain.model import Attachment
from ringgate.domain.terms import Capability, Channel, Role
from ringgate.execution.run_once import run_once
from tests.support.samples import tenant


class Notebook:
    """Driver, connection and actor in one: notes calls, keeps projects."""

    channel = Channel.API
    capabilities = frozenset({Capability.PROJECTS, Capability.UNDO})
    role = Role.PROJECT_MANAGER

    def __init__(self) -> None:
        self.projects: list[str] = []
        self.undone: list[str] = []
        self.cannot_undo: set[str] = set()
        self.closed = self.calls = 0

    def connect(self, _tenant: Any, _call: Any) -> Notebook:
        return self

    def sign_in(self, _role: Role, **_how: Any) -> Notebook:
        return self

    def create_project(self, draft: Any) -> Project:
        self.projects.append(draft.marker)
        return Project(Ref("project", str(len(self.projects))), draft.name, draft.customer, "open", ())

    def undo(self, reversal: Any) -> str:
        if reversal.marker in self.cannot_undo:
            raise ErpUnavailable("the tenant does not answer")
        self.undone.append(reversal.marker)
        return "deleted"

    def evidence(self, folder: Any) -> tuple[Attachment, ...]:
        (folder / "page.png").write_bytes(b"x")
        return (Attachment("page", "screenshot", "page.png"),)

    @property
    def touched(self) -> frozenset[str]:
        return frozenset({"project_manager call make"})

    def close(self) -> None:
        self.closed += 1


class Heard(list):
    def on(self, event: Any) -> None:
        self.append(event)


def process(function, **changes: Any):
    made = scenario(id="sample", effect=REVERSIBLE, needs={PROJECTS}, roles={PROJECT_MANAGER})(function)
    return replace(made, **changes)


def run(function, engine, **changes: Any):
    return run_once(process(function, **changes), tenant(), Channel.API, engine)


def two_projects(erp, make, run):
    """Two projects."""
    with run.step("create"):
        manager = erp.sign_in(PROJECT_MANAGER)
        manager.create_project(make.project())
        manager.create_project(make.project())
