"""Keys from the key file (§2): loading, the keys that are refused, and the schedule."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field

from .cipher import hkdf_expand, hkdf_extract

# The key id of the reference values: it names that key without having it in the code (R2.2).
REFERENCE_KEY_ID = bytes.fromhex("0b56bfc1696f34ec")
PRINTABLE = frozenset(range(0x20, 0x7F)) | frozenset(range(0x09, 0x0E))


class KeyRefused(ValueError):
    """Says which rule the key broke, and never shows the key (R2.3)."""


@dataclass(frozen=True)
class Key:
    """What the handshake needs. The bytes of the file themselves are not kept (R2.1)."""

    psk: bytes = field(repr=False)
    key_id: bytes


def derive(ikm: bytes) -> Key:
    """The schedule of §2.1, without the checks of §2.2: only the reference test calls it directly."""
    prk = hkdf_extract(b"sealwire key file v1", ikm)
    return Key(psk=hkdf_expand(prk, b"channel psk", 32), key_id=hkdf_expand(prk, b"key id", 8))


def check(ikm: bytes) -> Key:
    """The key, or KeyRefused for a key that must not be used (R2.2)."""
    if len(ikm) != 32:
        raise KeyRefused(f"the key file has {len(ikm)} bytes, not 32")
    distinct = len(set(ikm))
    if distinct == 1:
        raise KeyRefused("all bytes of the key file are equal")
    if PRINTABLE.issuperset(ikm):
        raise KeyRefused("the key file is text (printable ASCII and white space throughout)")
    if distinct <= 16:
        raise KeyRefused(f"the key file has only {distinct} distinct byte values")
    key = derive(ikm)
    if key.key_id == REFERENCE_KEY_ID:
        raise KeyRefused("the key file is the published key of the reference values")
    return key


def load(path: str) -> Key:
    """Read a key file. A file that others can open is refused: its mode gives the key away."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        mode = os.fstat(handle).st_mode
        if not stat.S_ISREG(mode):
            raise KeyRefused("the key file is not a regular file")
        if mode & 0o077:
            raise KeyRefused(f"the key file has mode {stat.S_IMODE(mode):03o}; others must have no access (chmod 600)")
        return check(os.read(handle, 33))  # one byte more, to notice a file that is too long
    finally:
        os.close(handle)
