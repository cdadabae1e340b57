"""Sign-in: the right password opens the tenant, a wrong one does not, and an ended session stays ended."""

from ringgate.api import (
    CONSULTANT,
    PLATFORM,
    POLICY,
    READ,
    RIGHTS,
    SIGN_IN,
    Erp,
    Make,
    Run,
    expect,
    expect_refusal,
    scenario,
)  # fmt: skip


@scenario(id="sign-in", effect=READ, needs={SIGN_IN}, roles={CONSULTANT}, layer=PLATFORM, smoke=True)
def sign_in(erp: Erp, make: Make, run: Run) -> None:
    with run.step("sign in"):
        consultant = erp.sign_in_anew(CONSULTANT)
        identity = consultant.who_am_i()
        expect(
            identity.login,
            equals=erp.login_of(CONSULTANT),
            because="the session is that of the user who signed in",
            what="login",
            basis=RIGHTS,
        )
        expect(
            identity.company,
            equals=erp.tenant.name,
            because="the user works for this tenant's company",
            what="company",
            basis=RIGHTS,
        )
        expect(
            identity.language,
            equals=erp.tenant.language,
            because="the inventory states the tenant's language",
            what="language",
            basis=POLICY,
        )

    with run.step("refuse a wrong password"):
        password = make.wrong_password()
        expect_refusal(erp.sign_in_with, CONSULTANT, password, because="nobody has this password", basis=RIGHTS)

    with run.step("refuse an ended session"):
        consultant.sign_out()
        expect_refusal(consultant.who_am_i, because="the session was ended", basis=RIGHTS)
