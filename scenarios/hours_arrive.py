"""Hours arrive: what was worked comes to payroll, its correction too, and that it was taken back."""

from ringgate.api import (
    CONSULTANT,
    HOURS,
    INTEGRATIONS,
    PROJECT_MANAGER,
    PROJECTS,
    REVERSIBLE,
    TIME,
    Erp,
    Make,
    Run,
    expect,
    scenario,
)  # fmt: skip


@scenario(
    id="hours-arrive",
    effect=REVERSIBLE,
    layer=INTEGRATIONS,
    receives=HOURS,
    needs={PROJECTS, TIME},
    roles={PROJECT_MANAGER, CONSULTANT},
)
def hours_arrive(erp: Erp, make: Make, run: Run) -> None:
    with run.step("enter time"):
        manager, consultant = erp.sign_in(PROJECT_MANAGER, CONSULTANT)
        project = manager.create_project(make.project())
        entry = consultant.enter_time(project, hours="7.5")
        marker = entry.description[entry.description.rindex("[") + 1 : -1]

    with run.step("it arrives"):
        erp.arrives(HOURS, marker, hours="7.5")

    with run.step("correct time"):
        corrected = consultant.correct_time(entry, hours="6.25")
        expect(str(corrected.hours), equals="6.25", because="the entry was corrected to 6 h 15 min", what="hours")

    with run.step("the correction arrives"):
        erp.arrives(HOURS, marker, hours="6.25", version=2)
