"""Three people ask who they are: three calls."""

from ringgate.api import ACCOUNTANT, CONSULTANT, PROJECT_MANAGER, READ, SIGN_IN, Erp, Make, Run, expect, scenario


@scenario(id="colleagues", effect=READ, needs={SIGN_IN}, roles={CONSULTANT, PROJECT_MANAGER, ACCOUNTANT})
def colleagues(erp: Erp, make: Make, run: Run) -> None:
    for role in (CONSULTANT, PROJECT_MANAGER, ACCOUNTANT):
        with run.step(f"ask the {role}"):
            stated = erp.sign_in(role).who_am_i()
            expect(stated.login, equals=erp.login_of(role), because="it is their session", what="login")
