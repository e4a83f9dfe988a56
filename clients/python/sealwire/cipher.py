"""The cipher function: A128CBC-HS256 with an expanded key and a derived IV (§3), and HKDF (§1.4)."""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .errors import Failure


def hmac_sha256(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def hkdf_extract(salt: bytes, ikm: bytes) -> bytes:
    return hmac_sha256(salt, ikm)


def hkdf_expand(prk: bytes, info: bytes, length: int) -> bytes:
    out, block, count = b"", b"", 1
    while len(out) < length:
        block = hmac_sha256(prk, block + info + bytes([count]))
        out, count = out + block, count + 1
    return out[:length]


def rekey(k: bytes) -> bytes:
    """REKEY(k) of §3.5. The counter is not reset, so the caller keeps its n."""
    return hkdf_expand(k, b"rekey", 32)


class CipherKey:
    """One key of 32 bytes, expanded (§3.1). The caller never seals twice with one n (R3.1)."""

    def __init__(self, k: bytes) -> None:
        expanded = hkdf_expand(k, b"keys", 48)
        self._mac = expanded[:16]
        self._enc = algorithms.AES(expanded[16:32])
        # AES on a single block is ECB of that block; IVK serves nothing else.
        self._iv = Cipher(algorithms.AES(expanded[32:]), modes.ECB())

    def iv(self, n: int) -> bytes:
        block = self._iv.encryptor()
        return block.update(bytes(8) + n.to_bytes(8, "big")) + block.finalize()

    def _tag(self, iv: bytes, associated: bytes, sealed: bytes) -> bytes:
        bits = (8 * len(associated)).to_bytes(8, "big")
        return hmac_sha256(self._mac, associated + iv + sealed + bits)[:16]

    def seal(self, n: int, associated: bytes, plain: bytes) -> bytes:
        iv = self.iv(n)
        fill = 16 - len(plain) % 16
        run = Cipher(self._enc, modes.CBC(iv)).encryptor()
        sealed = run.update(plain + bytes([fill]) * fill) + run.finalize()
        return sealed + self._tag(iv, associated, sealed)

    def open(self, n: int, associated: bytes, data: bytes) -> bytes:
        """Length, then tag, then padding (§3.4). All reasons are one failure (R3.5)."""
        if len(data) % 16 or len(data) < 32:
            raise Failure("does not open")
        iv, sealed = self.iv(n), data[:-16]
        if not hmac.compare_digest(self._tag(iv, associated, sealed), data[-16:]):
            raise Failure("does not open")
        run = Cipher(self._enc, modes.CBC(iv)).decryptor()
        plain = run.update(sealed) + run.finalize()
        fill = plain[-1]
        if not 1 <= fill <= 16 or plain[-fill:] != bytes([fill]) * fill:
            raise Failure("does not open")
        return plain[:-fill]
