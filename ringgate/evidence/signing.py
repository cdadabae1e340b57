"""Signatures of people and programs: Ed25519 keys as OpenSSH writes them, and DSSE envelopes.

A DSSE envelope holds a payload, its type and signatures over both (https://github.com/secure-systems-lab/dsse):

    {"payload": <base64>, "payloadType": "application/vnd.in-toto+json",
     "signatures": [{"keyid": "SHA256:...", "sig": <base64>}]}
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from ringgate.domain.errors import RinggateError
from ringgate.evidence.canonical import canonical

IN_TOTO = "application/vnd.in-toto+json"
"""The type of a payload that is an in-toto statement."""


class KeyUnusable(RinggateError):
    """A key cannot be read, or is of a kind that is not used here."""


class SignatureWrong(RinggateError):
    """What is signed was changed, or somebody else signed it."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public Ed25519 key. `line` is as OpenSSH writes it, without its comment."""

    line: str

    @classmethod
    def read(cls, text: str) -> VerifyingKey:
        """Of a line such as those of `authorized_keys`. Raises KeyUnusable."""
        try:
            key = load_ssh_public_key(text.strip().encode())
        except (ValueError, UnsupportedAlgorithm):
            raise KeyUnusable("is no public key as ssh-keygen writes it: ssh-ed25519 AAAA...") from None
        if not isinstance(key, Ed25519PublicKey):
            raise KeyUnusable("is of another kind than Ed25519: `ssh-keygen -t ed25519` makes one that is")
        return cls(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it: `SHA256:...`."""
        digest = hashlib.sha256(base64.b64decode(self.line.split()[1])).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")

    @property
    def pem(self) -> str:
        """For programs that read no keys of OpenSSH's."""
        key = load_ssh_public_key(self.line.encode())
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def verify(self, envelope: Mapping[str, Any]) -> bytes:
        """The payload of an envelope with one signature, which is this key's. Raises SignatureWrong."""
        try:
            payload, kind = _decoded(envelope["payload"]), envelope["payloadType"]
            (signature,) = envelope["signatures"]
            signed = _decoded(signature["sig"])
            if len(envelope) != 3 or len(signature) != 2:
                raise ValueError("there is something besides")
            if signature["keyid"] != self.fingerprint:
                raise SignatureWrong("is signed with another key")
        except (KeyError, TypeError, ValueError, AttributeError):
            raise SignatureWrong("is no DSSE envelope with one signature") from None
        key = load_ssh_public_key(self.line.encode())
        assert isinstance(key, Ed25519PublicKey)
        try:
            key.verify(signed, pae(str(kind), payload))
        except InvalidSignature:
            raise SignatureWrong("was changed after it was signed, or somebody else signed it") from None
        return payload


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private Ed25519 key."""

    _key: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def new(cls) -> SigningKey:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def load(cls, path: Path, passphrase: Callable[[], str]) -> SigningKey:
        """From a file as `ssh-keygen -t ed25519` or OpenSSL writes it; `passphrase` is asked where it has one. Raises
        KeyUnusable."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise KeyUnusable(f"the key {path} cannot be read: {error.strerror}") from None
        read = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in content else load_pem_private_key
        try:
            try:
                key = read(content, None)
            except (TypeError, ValueError) as error:
                if "password" not in str(error).lower() and "encrypted" not in str(error).lower():
                    raise
                key = read(content, passphrase().encode())
        except (TypeError, ValueError, UnsupportedAlgorithm):
            raise KeyUnusable(
                f"the key {path} cannot be used: it is no private key, or its passphrase is another"
            ) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyUnusable(
                f"the key {path} is of another kind than Ed25519: `ssh-keygen -t ed25519` makes one that is"
            )
        return cls(key)

    @property
    def public(self) -> VerifyingKey:
        return VerifyingKey(self._key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())

    @property
    def private_text(self) -> str:
        """As OpenSSH writes it, without a passphrase. For a file that nobody else may read."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()

    def sign(self, statement: Mapping[str, Any]) -> dict[str, Any]:
        """An envelope around the canonical text of an in-toto statement."""
        payload = canonical(statement).encode()
        signature = self._key.sign(pae(IN_TOTO, payload))
        return {
            "payload": base64.b64encode(payload).decode(), "payloadType": IN_TOTO,
            "signatures": [{"keyid": self.public.fingerprint, "sig": base64.b64encode(signature).decode()}],
        }  # fmt: skip


def pae(kind: str, payload: bytes) -> bytes:
    """What DSSE signs: the type and the payload, each with its length before it."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def _decoded(text: str) -> bytes:
    """Only what an encoder would have written, so that no other character can stand for the same bytes."""
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise binascii.Error("not as an encoder writes it")
    return found


def statement(subject: Mapping[str, str], kind: str, predicate: Mapping[str, Any]) -> dict[str, Any]:
    """An in-toto statement (https://in-toto.io/Statement/v1) about things with these names and SHA-256 digests."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(subject.items())],
        "predicateType": kind,
        "predicate": predicate,
    }
