"""A project is made, read, and taken back: what writes is in the journal first."""

from ringgate.api import PROJECT_MANAGER, PROJECTS, REVERSIBLE, Erp, Make, Run, expect, scenario


@scenario(id="new-project", effect=REVERSIBLE, needs={PROJECTS}, roles={PROJECT_MANAGER})
def new_project(erp: Erp, make: Make, run: Run) -> None:
    draft = make.project(rate="120.00")

    with run.step("create project"):
        manager = erp.sign_in(PROJECT_MANAGER)
        project = manager.create_project(draft)

    with run.step("read project"):
        stated = manager.read_project(project)
        expect(stated.name, equals=draft.name, because="it was created under this name", what="project name")
