"""Keys as people have them, and signatures that no change survives."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from ringgate.evidence.canonical import canonical
from ringgate.evidence.signing import KeyUnusable, SignatureWrong, SigningKey, VerifyingKey, pae, statement

SAID = statement({"release": "0" * 64}, "urn:x", {"ok": True})


def no_passphrase() -> str:
    raise AssertionError("no passphrase is needed")


def test_what_is_signed_is_as_dsse_has_it() -> None:
    # The example of DSSE's own protocol.md.
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_a_signature_holds_for_what_was_signed_and_for_its_key() -> None:
    key = SigningKey.new()
    assert json.loads(key.public.verify(key.sign(SAID))) == SAID
    with pytest.raises(SignatureWrong, match="signed with another key"):
        SigningKey.new().public.verify(key.sign(SAID))


def test_each_changed_byte_of_an_envelope_is_refused() -> None:
    key = SigningKey.new()
    whole = canonical(key.sign(SAID)).encode()
    accepted = []
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1
        try:
            key.public.verify(json.loads(changed))
        except (SignatureWrong, ValueError):
            continue
        accepted.append((place, bytes(changed[place - 5 : place + 5])))
    assert accepted == []


@pytest.mark.parametrize("words", [{}, {"payload": 1}, {"payload": "", "payloadType": "", "signatures": []}])
def test_what_is_no_envelope_is_refused(words: dict[str, object]) -> None:
    with pytest.raises(SignatureWrong, match="is no DSSE envelope with one signature"):
        SigningKey.new().public.verify(words)


def test_two_signatures_are_refused() -> None:
    key = SigningKey.new()
    envelope = key.sign(SAID)
    with pytest.raises(SignatureWrong, match="one signature"):
        key.public.verify(envelope | {"signatures": envelope["signatures"] * 2})


@pytest.mark.parametrize("passphrase", ["", "open sesame"])
def test_a_key_of_ssh_keygen_is_read(tmp_path: Path, passphrase: str) -> None:
    file = tmp_path / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", file, "-C", "grace@x"], check=True)
    key = SigningKey.load(file, (lambda: passphrase) if passphrase else no_passphrase)
    public = VerifyingKey.read((tmp_path / "id_ed25519.pub").read_text())
    assert key.public == public
    told = subprocess.run(["ssh-keygen", "-l", "-f", f"{file}.pub"], capture_output=True, text=True, check=True).stdout
    assert told.split()[1] == public.fingerprint


def test_a_key_of_openssl_is_read(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", file], check=True)
    key = SigningKey.load(file, no_passphrase)
    assert key.public.pem.startswith("-----BEGIN PUBLIC KEY-----")
    told = subprocess.run(["openssl", "pkey", "-in", file, "-pubout"], capture_output=True, text=True, check=True)
    assert told.stdout == key.public.pem


def test_keys_of_another_kind_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "id_ecdsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", file], check=True)
    with pytest.raises(KeyUnusable, match="of another kind than Ed25519"):
        SigningKey.load(file, no_passphrase)
    with pytest.raises(KeyUnusable, match="of another kind than Ed25519"):
        VerifyingKey.read((tmp_path / "id_ecdsa.pub").read_text())


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hunter22")
    for file in ("x", "nothing"):
        with pytest.raises(KeyUnusable, match=f"the key .*{file} cannot be (used|read)") as error:
            SigningKey.load(tmp_path / file, no_passphrase)
        assert "hunter22" not in str(error.value)
    with pytest.raises(KeyUnusable, match="is no public key"):
        VerifyingKey.read("ssh-ed25519 nonsense")


def test_a_private_key_is_not_printed() -> None:
    key = SigningKey.new()
    raw = base64.b64encode(key._key.private_bytes_raw()).decode()
    assert raw not in repr(key)
    assert "object" not in repr(key)
