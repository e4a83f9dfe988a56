"""The key agreement of the handshake: X25519, the chaining key and the hash (§4.3, §4.4, §4.8)."""

from __future__ import annotations

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .cipher import CipherKey, hkdf_extract, hmac_sha256
from .errors import Failure


def public_bytes(private: X25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def exchange(private: X25519PrivateKey, public: bytes) -> bytes:
    """X25519. A result of zeros is a failure, also where the library reports it by itself (R4.7)."""
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise Failure("low-order point") from None
    if not any(shared):
        raise Failure("low-order point")
    return shared


class Mixer:
    """The chaining key, the hash and the cipher key of §4.4."""

    def __init__(self, prologue: bytes) -> None:
        self.h = self._ck = sha256(b"Noise_NNpsk0_25519_A128CBC/HS256_SHA256").digest()
        self._k = CipherKey(bytes(32))
        self._n = 0
        self.mix_hash(prologue)

    def _hkdf(self, x: bytes) -> tuple[bytes, bytes, bytes]:
        t = hmac_sha256(self._ck, x)
        a = hmac_sha256(t, b"\x01")
        b = hmac_sha256(t, a + b"\x02")
        return a, b, hmac_sha256(t, b + b"\x03")

    def mix_hash(self, x: bytes) -> None:
        self.h = sha256(self.h + x).digest()

    def mix_key(self, x: bytes) -> None:
        self._ck, k, _ = self._hkdf(x)
        self._k, self._n = CipherKey(k), 0

    def mix_key_and_hash(self, x: bytes) -> None:
        self._ck, t, k = self._hkdf(x)
        self.mix_hash(t)
        self._k, self._n = CipherKey(k), 0

    def seal(self, plain: bytes) -> bytes:
        c = self._k.seal(self._n, self.h, plain)
        self._n += 1
        self.mix_hash(c)
        return c

    def open(self, c: bytes) -> bytes:
        plain = self._k.open(self._n, self.h, c)
        self._n += 1
        self.mix_hash(c)
        return plain

    def split(self) -> tuple[bytes, bytes]:
        """k_c2s and k_s2c. Afterwards ck and k are gone; h stays for the proof (R4.23)."""
        c2s, s2c, _ = self._hkdf(b"")
        self._ck, self._k = b"", CipherKey(bytes(32))
        return c2s, s2c


def prologue(head: bytes, service: str) -> bytes:
    name = service.encode("utf-8")
    if not 1 <= len(name) <= 65535:
        raise ValueError("the service name has 1 to 65535 bytes (§4.3)")
    return b"sealwire channel v1" + head + len(name).to_bytes(2, "big") + name


def proof(h: bytes, dh: bytes, instance: bytes) -> bytes:
    return hmac_sha256(hkdf_extract(h, dh), b"sealwire instance proof" + instance)[:16]
