"""Tenant disclosure: strangers learn nothing of a tenant's books, by asking or guessing, nor who else is one."""

from ringgate.api import (
    AUDITOR,
    ISOLATED,
    ISOLATION,
    OUTSIDERS,
    POLICY,
    READ,
    Erp,
    Make,
    Run,
    expect,
    expect_isolation,
    named_in,
    scenario,
)  # fmt: skip

NOBODY = "nobody-of-that-name"


@scenario(
    id="tenant-disclosure",
    effect=READ,
    needs={OUTSIDERS},
    roles={AUDITOR},
    layer=ISOLATION,
)
def tenant_disclosure(erp: Erp, make: Make, run: Run) -> None:
    with run.step("try what was always there, and guess"):
        seen = erp.seen()
        expect_isolation(
            erp.insider(AUDITOR),
            erp.outsiders(AUDITOR),
            seen,
            guesses=[guess for thing in seen for guess in erp.guesses(thing.ref)],
            because="a tenant's books are nobody else's business",
        )

    with run.step("ask for other tenants"):
        names = {name for each in erp.neighbours for name in (each.id, each.name)}
        unknown = erp.ask_as_stranger(NOBODY)
        for question, answer in unknown.items():
            expect(
                named_in(answer, names),
                equals=(),
                because="strangers are not told who else is a tenant",
                what=question,
                basis=POLICY,
                invariant=ISOLATED,
            )

    with run.step("tell a tenant from none"):
        for neighbour in erp.neighbours:
            answers = erp.ask_as_stranger(neighbour.id)
            expect(
                [question for question, answer in answers.items() if answer != unknown[question]],
                equals=[],
                because="a tenant is answered for like a name that nobody has",
                what=f"what tells {neighbour.id} from a name that nobody has",
                basis=POLICY,
            )
