"""The envelope of docs/envelope.md: seal and open, without a window and without a clock."""

from __future__ import annotations

import base64
import hmac
import json
import re
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .cipher import hkdf_expand, hkdf_extract, hmac_sha256

FIXED = {"alg": "dir", "enc": "A128CBC-HS256", "typ": "sealwire+jwe"}
MEMBERS = ("alg", "enc", "kid", "typ", "aud", "sub", "iat", "jti")
JTI = re.compile(r"([A-Za-z0-9_-]{21}[AQgw])\.(0|[1-9][0-9]{0,15})", re.ASCII)
KID = re.compile(r"[0-9a-f]{16}", re.ASCII)
MAX_HEADER = 1024
MAX_COUNTER = 2**53 - 1


class Refused(ValueError):
    """An envelope that does not open. Its text is the reason of §5, for the log of the receiver."""


@dataclass(frozen=True)
class EnvelopeKey:
    cek: bytes = field(repr=False)
    kid: str


def derive(ikm: bytes) -> EnvelopeKey:
    """CEK of §2."""
    prk = hkdf_extract(b"sealwire key file v1", ikm)
    return EnvelopeKey(hkdf_expand(prk, b"jwe dir", 32), hkdf_expand(prk, b"key id", 8).hex())


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64(text: str) -> bytes:
    """Only the canonical form (E5.2)."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text, re.ASCII) or len(text) % 4 == 1:
        raise Refused("form")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if b64(data) != text:
        raise Refused("form")
    return data


def tag_of(cek: bytes, associated: bytes, iv: bytes, sealed: bytes) -> bytes:
    return hmac_sha256(cek[:16], associated + iv + sealed + (8 * len(associated)).to_bytes(8, "big"))[:16]


def seal_text(key: EnvelopeKey, header_text: bytes, iv: bytes, padded: bytes) -> str:
    """§4, of any header and of any padding: for reference values."""
    run = Cipher(algorithms.AES(key.cek[16:]), modes.CBC(iv)).encryptor()
    sealed = run.update(padded) + run.finalize()
    first = b64(header_text)
    return f"{first}..{b64(iv)}.{b64(sealed)}.{b64(tag_of(key.cek, first.encode(), iv, sealed))}"


def pad(plain: bytes) -> bytes:
    fill = 16 - len(plain) % 16
    return plain + bytes([fill]) * fill


def header_text(key: EnvelopeKey, aud: str, sub: str, iat: int, jti: str) -> bytes:
    header = {**FIXED, "kid": key.kid, "aud": aud, "sub": sub, "iat": iat, "jti": jti}
    return json.dumps({name: header[name] for name in MEMBERS}, separators=(",", ":"), ensure_ascii=False).encode()


def read_header(text: bytes) -> dict[str, Any]:
    """§3."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) != len(pairs):
            raise Refused("form")
        return dict(pairs)

    def number(digits: str) -> Any:
        return int(digits) if re.fullmatch(r"0|[1-9][0-9]*", digits, re.ASCII) else None

    if len(text) > MAX_HEADER:
        raise Refused("form")
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=unique, parse_int=number, parse_float=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise Refused("form") from error
    if not isinstance(header, dict) or set(header) != set(MEMBERS):
        raise Refused("form")
    if any(header[name] != value for name, value in FIXED.items()):
        raise Refused("form")
    iat = header.pop("iat")
    if type(iat) is not int or iat > MAX_COUNTER or not all(isinstance(value, str) for value in header.values()):
        raise Refused("form")
    for name in ("aud", "sub"):
        if not header[name] or any(0xD800 <= ord(letter) <= 0xDFFF for letter in header[name]):
            raise Refused("form")
    found = JTI.fullmatch(header["jti"])
    if not KID.fullmatch(header["kid"]) or not found or int(found[2]) > MAX_COUNTER:
        raise Refused("form")
    return {**header, "iat": iat}


def open_envelope(keys: dict[str, EnvelopeKey], envelope: str) -> tuple[dict[str, Any], bytes]:
    """The steps 1 to 3 and 8 of §5. The caller checks aud, sub, age and jti."""
    parts = envelope.split(".")
    if len(parts) != 5 or parts[1]:
        raise Refused("form")
    text, iv, sealed, tag = (unb64(part) for part in (parts[0], *parts[2:]))
    if len(iv) != 16 or len(tag) != 16 or not sealed or len(sealed) % 16:
        raise Refused("form")
    header = read_header(text)
    key = keys.get(header["kid"])
    if key is None:
        raise Refused("key")
    if not hmac.compare_digest(tag_of(key.cek, parts[0].encode(), iv, sealed), tag):
        raise Refused("tag")
    run = Cipher(algorithms.AES(key.cek[16:]), modes.CBC(iv)).decryptor()
    plain = run.update(sealed) + run.finalize()
    fill = plain[-1]
    if not 1 <= fill <= 16 or plain[-fill:] != bytes([fill]) * fill:
        raise Refused("tag")
    return header, plain[:-fill]
