"""A consultant asks who they are: one call."""

from ringgate.api import CONSULTANT, READ, SIGN_IN, Erp, Make, Run, expect, scenario


@scenario(id="identity", effect=READ, needs={SIGN_IN}, roles={CONSULTANT})
def identity(erp: Erp, make: Make, run: Run) -> None:
    with run.step("ask"):
        stated = erp.sign_in(CONSULTANT).who_am_i()
        expect(stated.login, equals=erp.login_of(CONSULTANT), because="it is their session", what="login")
