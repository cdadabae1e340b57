"""Time entry: a consultant logs hours, corrects them, and cannot log what policy forbids."""

from ringgate.api import (
    BOOKS,
    CONSULTANT,
    PROJECT_MANAGER,
    PROJECTS,
    REVERSIBLE,
    TIME,
    Decimal,
    Erp,
    Make,
    Run,
    expect,
    expect_refusal,
    scenario,
)  # fmt: skip


@scenario(id="time-entry", effect=REVERSIBLE, needs={PROJECTS, TIME, BOOKS}, roles={PROJECT_MANAGER, CONSULTANT})
def time_entry(erp: Erp, make: Make, run: Run) -> None:
    with run.step("create project"):
        manager, consultant = erp.sign_in(PROJECT_MANAGER, CONSULTANT)
        project = manager.create_project(make.project())

    with run.step("enter time"):
        entry = consultant.enter_time(project, hours="7.5")
        expect(entry.hours, equals=Decimal("7.5"), because="7 h 30 min were logged", what="hours")
        expect(entry.on, equals=run.today, because="they were worked today", what="date")

    with run.step("correct time"):
        corrected = consultant.correct_time(entry, hours="6.25")
        expect(corrected.hours, equals=Decimal("6.25"), because="the entry was corrected to 6 h 15 min", what="hours")
        expect(
            erp.books.hours_on(project),
            equals=Decimal("6.25"),
            because="a correction replaces, it does not add",
            what="hours in the books",
        )

    with run.step("refuse negative hours"):
        expect_refusal(consultant.enter_time, project, hours="-1", because="nobody works less than nothing")
        expect(
            erp.books.hours_on(project),
            equals=Decimal("6.25"),
            because="what was refused leaves no trace",
            what="hours in the books",
        )
