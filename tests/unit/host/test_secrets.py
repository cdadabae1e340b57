"""Secrets stay where they are: by reference in, redacted out."""

from __future__ import annotations

import base64
import io
import json
import logging
import pickle
from pathlib import Path
from urllib.parse import quote

import pytest

from ringgate.domain.errors import SecretMissing
from ringgate.domain.secrets import Secret
from ringgate.host.secrets import EnvSecret, FileSecret, RedactingFilter, Redactor, redact

VALUE = 'p&ss "w/rd" <ü>'


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> EnvSecret:
    monkeypatch.setenv("ACME_ACCOUNTANT", VALUE)
    return EnvSecret("ACME_ACCOUNTANT")


def test_a_secret_is_revealed_only_on_demand(secret: EnvSecret) -> None:
    assert VALUE not in repr(secret) + str(secret) + f"{secret}"
    assert VALUE.encode() not in pickle.dumps(secret)
    assert secret.reveal() == VALUE


@pytest.mark.parametrize(
    "form",
    [VALUE, quote(VALUE, safe=""), json.dumps(VALUE)[1:-1], base64.b64encode(VALUE.encode()).decode(),
     "p&amp;ss &quot;w/rd&quot; &lt;ü&gt;"],
)  # fmt: skip
def test_what_was_revealed_is_redacted_in_every_encoding(secret: EnvSecret, form: str) -> None:
    secret.reveal()
    assert redact(f"before {form} after") == "before *** after"


def test_a_secret_inside_another_leaves_no_remainder() -> None:
    redactor = Redactor()
    redactor.add("open")
    redactor.add("open-sesame")
    assert redactor.redact("say open-sesame, then open") == "say ***, then ***"
    assert "open" not in repr(redactor)


def test_a_log_record_and_its_traceback_are_redacted(secret: EnvSecret) -> None:
    value = secret.reveal()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    log = logging.getLogger("ringgate.test_secrets")
    log.propagate = False
    log.addHandler(handler)
    try:
        raise ValueError(f"bad {value}")
    except ValueError:
        log.exception("sign-in with %s", value)
    assert value not in stream.getvalue()
    assert stream.getvalue().count("***") >= 2


def test_an_environment_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    with pytest.raises(SecretMissing, match="environment variable NO_SUCH is not set"):
        EnvSecret("NO_SUCH").reveal()


@pytest.mark.parametrize(("value", "why"), [("", "is empty"), ("abc", "has fewer than 4 characters")])
def test_a_secret_that_could_not_be_redacted_is_refused(monkeypatch: pytest.MonkeyPatch, value: str, why: str) -> None:
    monkeypatch.setenv("SHORT", value)
    with pytest.raises(SecretMissing, match=why) as caught:
        EnvSecret("SHORT").reveal()
    assert "abc" not in str(caught.value)


def test_a_file_is_found_under_ringgate_home_under_home_and_beside_the_inventory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    for folder, value in (("cache", "from cache"), ("me", "from home"), ("inventory", "from beside")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "secret").write_text(f"{value}\n")
    assert FileSecret("${RINGGATE_HOME}/secret").reveal() == "from cache"
    assert FileSecret("~/secret").reveal() == "from home"
    assert FileSecret("secret", tmp_path / "inventory").reveal() == "from beside"


def test_a_file_that_is_not_there_is_named_as_written_and_as_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RINGGATE_HOME", str(tmp_path))
    with pytest.raises(SecretMissing) as caught:
        FileSecret("${RINGGATE_HOME}/none").reveal()
    assert str(caught.value) == (
        f"file ${{RINGGATE_HOME}}/none ({tmp_path}/none) does not exist: create it, or change the reference"
    )


def test_a_file_that_every_user_can_read_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("hunter22")
    path.chmod(0o644)
    assert "can be read by every user: chmod 600" in FileSecret(str(path)).warning()
    path.chmod(0o600)
    assert FileSecret(str(path)).warning() == ""


def test_a_kind_of_secret_that_cannot_be_revealed_is_not_made() -> None:
    class Unread(Secret):
        @property
        def reference(self) -> str:
            return "nowhere"

    with pytest.raises(TypeError, match="reveal"):
        Unread()  # type: ignore[abstract]
