"""Projects, tasks and time."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from ringgate.conformance.model import contract
from ringgate.conformance.requirements import require, same
from ringgate.conformance.trial import HOURS, Trial
from ringgate.domain.documents import Project
from ringgate.domain.terms import Capability, Role

PROJECTS, TIME, BOOKS = Capability.PROJECTS, Capability.TIME, Capability.BOOKS
MANAGER, CONSULTANT = Role.PROJECT_MANAGER, Role.CONSULTANT


@contract("create-project", PROJECTS, roles=(MANAGER,))
def create_project(trial: Trial) -> None:
    """A project has the draft's name, customer and tasks, each with its rate and planned hours; its marker is found on
    it."""
    draft = trial.make.project_of(("120.50", "8", ""), ("95.25", "2.5", ""))
    project = trial.actor(MANAGER).create_project(draft)
    trial.typed(project)
    same((project.name, project.customer, project.state), (draft.name, draft.customer, "open"), "the project")
    wanted = sorted((task.name, str(task.rate), task.planned) for task in draft.tasks)
    same(sorted((task.name, str(task.rate), task.planned) for task in project.tasks), wanted, "its tasks")
    refs = {task.ref.id for task in project.tasks}
    require(len(refs) == len(draft.tasks), "two tasks have the same id")


@contract("read-project", PROJECTS, roles=(MANAGER,))
def read_project(trial: Trial) -> None:
    """read_project asks the ERP: it states what another session changed meanwhile, not what it was given."""
    manager = trial.actor(MANAGER)
    before = trial.project()
    manager.complete_work(before)
    stated = manager.read_project(replace(before, customer="RG-ECHO"))
    trial.typed(stated)
    same((stated.ref.id, stated.customer, stated.state), (before.ref.id, before.customer, "done"), "the project")
    same(_tasks(stated), _tasks(before), "its tasks")


@contract("complete-work", PROJECTS, roles=(MANAGER,))
def complete_work(trial: Trial) -> None:
    """complete_work returns the project as the ERP states it afterwards: done, with the customer it has."""
    project = trial.project()
    stated = trial.actor(MANAGER).complete_work(replace(project, customer="RG-ECHO"))
    same((stated.state, stated.customer), ("done", project.customer), "the project")


@contract("enter-time", PROJECTS, TIME, roles=(MANAGER, CONSULTANT))
def enter_time(trial: Trial) -> None:
    """Hours come back exactly as they were entered, on their day, with their description and the ERP's employee."""
    project = trial.project()
    for hours in ("7.25", "0.5"):
        entry = trial.actor(CONSULTANT).enter_time(project, hours)
        trial.typed(entry)
        same((entry.hours, entry.on, entry.task.id), (Decimal(hours), trial.today, project.task.ref.id), "the entry")
        require(f"[{trial.make.marker}-" in entry.description, "the description has lost its marker")
        require(bool(entry.employee), "the entry names no employee")
    if trial.has(BOOKS):
        same(trial.books.hours_on(project), Decimal("7.75"), "the hours that the books state")


@contract("correct-time", PROJECTS, TIME, roles=(MANAGER, CONSULTANT))
def correct_time(trial: Trial) -> None:
    """A correction replaces the hours; what comes back is read from the ERP."""
    project, consultant = trial.project(), trial.actor(CONSULTANT)
    entry = consultant.enter_time(project, HOURS)
    stated = consultant.correct_time(replace(entry, employee="RG-ECHO"), "6.75")
    trial.typed(stated)
    same((stated.ref.id, stated.hours, stated.employee), (entry.ref.id, Decimal("6.75"), entry.employee), "the entry")
    if trial.has(BOOKS):
        same(trial.books.hours_on(project), Decimal("6.75"), "the hours that the books state")


@contract("refuse-negative-hours", PROJECTS, TIME, roles=(MANAGER, CONSULTANT))
def refuse_negative_hours(trial: Trial) -> None:
    """Hours below nil are refused, typed, and leave nothing."""
    project, consultant = trial.project(), trial.actor(CONSULTANT)
    trial.refused("enter_time", lambda: consultant.enter_time(project, "-1"))
    if trial.has(BOOKS):
        same(trial.books.hours_on(project), Decimal(0), "the hours that the books state after a refusal")


def _tasks(project: Project) -> list[tuple[str, str, Decimal]]:
    return sorted((task.ref.id, str(task.rate), task.planned) for task in project.tasks)
