"""Project creation: a project manager sets up billable work for a customer at an agreed rate."""

from ringgate.api import (
    CONSULTANT,
    PROJECT_MANAGER,
    PROJECTS,
    REVERSIBLE,
    RIGHTS,
    Decimal,
    Erp,
    Make,
    Run,
    expect,
    expect_refusal,
    scenario,
)  # fmt: skip


@scenario(id="project-creation", effect=REVERSIBLE, needs={PROJECTS}, roles={PROJECT_MANAGER, CONSULTANT})
def project_creation(erp: Erp, make: Make, run: Run) -> None:
    draft = make.project(rate="120.00", planned="16")

    with run.step("create project"):
        manager = erp.sign_in(PROJECT_MANAGER)
        project = manager.create_project(draft)

    with run.step("read project"):
        stated = manager.read_project(project)
        expect(stated.name, equals=draft.name, because="the project was created under this name", what="project name")
        expect(stated.customer, equals=erp.policy.customer, because="the project is this customer's", what="customer")
        expect(stated.state, equals="open", because="nothing was done on it yet", what="state")
        expect(stated.task.rate, equals=erp.money("120.00"), because="this rate was agreed", what="hourly rate")
        expect(stated.task.planned, equals=Decimal(16), because="these hours were planned", what="planned hours")

    with run.step("refuse a project by a consultant"):
        consultant = erp.sign_in(CONSULTANT)
        draft = make.project()
        because = "only project managers set up projects"
        expect_refusal(consultant.create_project, draft, because=because, basis=RIGHTS)
