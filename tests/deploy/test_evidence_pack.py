"""Every byte of a pack, changed: no verifier may let it pass, neither Ringgate's own nor others'."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from ringgate.evidence.pack_check import checked_pack
from tests.support.sigstore import accepted, install_verifier, npm_is_there
from tests.unit.evidence.packs import GRACE, KEY, files_of, foreign, pack_of


@pytest.mark.sweep
def test_no_changed_byte_of_a_pack_passes(tmp_path: Path) -> None:
    pack = pack_of(tmp_path)
    missed = []
    for place in range(len(pack)):
        changed = bytearray(pack)
        changed[place] ^= 1 << (place % 8)
        if checked_pack(bytes(changed), [KEY.public]).holds:
            missed.append(place)
    assert missed == []


@pytest.mark.sweep
def test_another_partys_verifier_refuses_each_changed_byte_of_what_is_signed(tmp_path: Path) -> None:
    for content in _bundles(pack_of(tmp_path)).values():
        assert foreign(content)
        for changed in _changes(content, 1):
            with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it raises, it does not accept
                foreign(changed)


@pytest.mark.skipif(not npm_is_there(), reason="there is no npm here: Sigstore's own verifier is a package of Node's")
def test_sigstores_own_verifier_accepts_every_statement_and_refuses_changed_ones(tmp_path: Path) -> None:
    install_verifier(tmp_path)
    keys = {key.public.fingerprint: key.public.pem for key in (KEY, GRACE)}
    bundles = _bundles(pack_of(tmp_path))
    assert accepted(tmp_path, keys, list(bundles.values())) == [True] * len(bundles)
    changed = [each for content in bundles.values() for each in _changes(content, 40)]
    assert len(changed) > 100
    assert set(accepted(tmp_path, keys, changed)) == {False}


def _bundles(pack: bytes) -> dict[str, bytes]:
    return {name: content for name, content in files_of(pack).items() if name.endswith(".sigstore.json")}


def _changes(content: bytes, each: int) -> list[bytes]:
    """The bundle with a byte of its payload or its signature changed, at every `each`th place."""
    found = []
    for part in ("payload", "sig"):
        bundle = json.loads(content)
        envelope = bundle["dsseEnvelope"]
        holder = envelope if part == "payload" else envelope["signatures"][0]
        raw = base64.b64decode(holder[part])
        for place in range(0, len(raw), each):
            changed = bytearray(raw)
            changed[place] ^= 1
            holder[part] = base64.b64encode(bytes(changed)).decode()
            found.append(json.dumps(bundle).encode())
    return found
