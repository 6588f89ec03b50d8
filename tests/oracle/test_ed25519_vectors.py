"""The verifier's own ed25519: RFC 8032 vectors, another library on random keys, and what must be refused."""

import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.audit.verifier import verify_ed25519

# RFC 8032, section 7.1: secret key, public key, message, signature.
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        b"\x72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        b"\xaf\x82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").digest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
        "3dca179c138ac17ad9bef1177331a704",
    ),
]
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
# Points of order 1, 2, 4 and 8: under such a key one signature holds for many messages.
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]


def other(public: bytes, message: bytes, mark: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(mark, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize("vector", range(len(RFC_8032)))
def test_the_vectors_of_the_rfc(vector: int) -> None:
    secret, public_hex, message, mark_hex = RFC_8032[vector]
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    public, mark = key.public_key().public_bytes_raw(), key.sign(message)
    assert (public.hex(), mark.hex()) == (public_hex, mark_hex), "the vector is copied as it is"
    assert verify_ed25519(public, message, mark)
    assert not verify_ed25519(public, message + b"\0", mark)
    for position in range(64):
        assert not verify_ed25519(public, message, mark[:position] + bytes([mark[position] ^ 1]) + mark[position + 1 :])


@settings(max_examples=60, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=300), where=st.integers(0, 8 * 96 - 1))
def test_another_library_agrees_on_what_is_signed_and_on_one_bit_less(seed: bytes, message: bytes, where: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, mark = key.public_key().public_bytes_raw(), key.sign(message)
    assert verify_ed25519(public, message, mark)
    whole = bytearray(public + mark)
    whole[where // 8] ^= 1 << where % 8
    broken = bytes(whole[:32]), message, bytes(whole[32:])
    assert verify_ed25519(*broken) is other(*broken) is False


@settings(max_examples=60, deadline=None)
@given(public=st.binary(min_size=32, max_size=32), mark=st.binary(min_size=64, max_size=64))
def test_nonsense_is_refused_without_an_error(public: bytes, mark: bytes) -> None:
    assert not verify_ed25519(public, b"m", mark)


def test_a_scalar_or_a_point_written_otherwise_is_refused() -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
    public, mark = key.public_key().public_bytes_raw(), key.sign(b"m")
    scalar = int.from_bytes(mark[32:], "little")
    for shifted in (scalar + L, scalar + 2 * L):  # the same equation holds: a second signature of the same message
        assert not verify_ed25519(public, b"m", mark[:32] + shifted.to_bytes(32, "little"))
    for length in (0, 31, 33):
        assert not verify_ed25519(public[:length].ljust(length, b"\0"), b"m", mark)
    assert not verify_ed25519(public, b"m", mark[:63])
    assert not verify_ed25519(public, b"m", mark + b"\0")
    for y in range(P, 2**255):  # the nineteen numbers that stand for a smaller one
        for sign in (0, 1):
            assert not verify_ed25519((y | sign << 255).to_bytes(32, "little"), b"m", mark)


@pytest.mark.parametrize("public", SMALL_ORDER)
def test_a_key_under_which_anything_is_signed_is_refused(public: str) -> None:
    neutral, signed_by_nobody = bytes.fromhex(SMALL_ORDER[0]), 0
    for n in range(64):
        forged = neutral + bytes(32)
        signed_by_nobody += other(bytes.fromhex(public), b"%d" % n, forged)
        assert not verify_ed25519(bytes.fromhex(public), b"%d" % n, forged)
    assert signed_by_nobody >= 1, "the other library, after the RFC, takes some of them"
