from ringgate.api import CONSULTANT, POLICY, READ, RIGHTS, SIGN_IN, Erp, Make, Run, expect, scenario


@scenario(id="sign-in-and-out", effect=READ, needs={SIGN_IN}, roles={CONSULTANT})
def sign_in_and_out(erp: Erp, make: Make, run: Run) -> None:
    """A consultant signs in, sees who it is, and signs out."""
    with run.step("sign in"):
        consultant = erp.sign_in_anew(CONSULTANT)

    with run.step("read who it is"):
        identity, tenant = consultant.who_am_i(), erp.tenant
        expect(identity.company, equals=tenant.name, because="the user works for it", what="company", basis=RIGHTS)
        expect(identity.language, equals=tenant.language, because="so it is stated", what="language", basis=POLICY)
        expect(identity.login, equals=erp.login_of(CONSULTANT), because="it signed in", what="login", basis=RIGHTS)

    with run.step("sign out"):
        consultant.sign_out()
