"""Who is signed in, and what is looked up once: Tavern shares fixtures between tests, but nothing that a test saved."""

import base64
import datetime as dt
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import requests

CUSTOMER, SERVICE, CASH = "Ringgate Synthetic Client", "Consulting", "1000"


@dataclass
class User:
    http: requests.Session
    authorization: str = ""
    context: dict = field(default_factory=dict)

    def call(self, method: str, *params: object, path: str = ""):
        body = {"id": 1, "method": method, "params": params}
        headers = {"Authorization": self.authorization} if self.authorization else {}
        answer = self.http.post(path or os.environ["ERP"], json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json()["result"]

    def find(self, model: str, *clause: object) -> int:
        return self.call(f"model.{model}.search", [clause], 0, 1, None, self.context)[0]


@pytest.fixture(scope="session")
def sign_in() -> Iterator[Callable[[str], User]]:
    users = []

    def sign_in(role: str) -> User:
        user, login = User(http), f"synthetic.{role}"
        root = os.environ["ERP"].rstrip("/").rpartition("/")[0] + "/"
        assert user.call("common.server.version", path=root).startswith("7.0.")
        password = {"password": os.environ[f"PASSWORD_{role.upper()}"]}
        uid, token = user.call("common.db.login", login, password, "en")
        user.authorization = "Session " + base64.b64encode(f"{login}:{uid}:{token}".encode()).decode()
        user.context = user.call("model.res.user.get_preferences", True, {})
        users.append(user)
        return user

    with requests.Session() as http:
        yield sign_in
        for user in users:
            user.call("common.db.logout")


@pytest.fixture(scope="session")
def manager(sign_in) -> User:
    return sign_in("project_manager")


@pytest.fixture(scope="session")
def consultant(sign_in) -> User:
    return sign_in("consultant")


@pytest.fixture(scope="session")
def accountant(sign_in) -> User:
    return sign_in("accountant")


@pytest.fixture(scope="session")
def auditor(sign_in) -> User:
    return sign_in("auditor")


@pytest.fixture(scope="session")
def known(manager: User, accountant: User) -> dict[str, int]:
    return {
        "product": manager.find("product.product", "name", "=", SERVICE),
        "customer": manager.find("party.party", "name", "=", CUSTOMER),
        "done": manager.find("project.work.status", "progress", "=", 1.0),
        "payer": accountant.find("party.party", "name", "=", CUSTOMER),
        "currency": accountant.find("currency.currency", "code", "=", "GBP"),
        "method": accountant.find("account.invoice.payment.method", "debit_account.code", "=", CASH),
    }


@pytest.fixture
def today() -> dict[str, object]:
    day = dt.datetime.now(dt.UTC).date()
    return {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}


@pytest.fixture
def unique() -> str:
    return f"Tavern {secrets.token_hex(6)}"
