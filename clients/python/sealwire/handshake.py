"""The handshake in both roles (§4): messages 1 and 2, CONFIRM and the instance proof."""

from __future__ import annotations

import hmac
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from .errors import Failure
from .keyfile import Key
from .mixer import Mixer, exchange, prologue, proof, public_bytes

MAGIC = bytes.fromhex("e1534c5701")
PREAMBLE_1 = MAGIC + bytes.fromhex("010048")
PREAMBLE_2 = MAGIC + bytes.fromhex("020060")
ALERT = MAGIC + bytes.fromhex("ff0000")
MESSAGE_1, MESSAGE_2 = 80, 104
CONFIRM, CONFIRM_INNER, CONFIRM_LENGTH = 0x07, 79, 96

# An unknown key id runs the same computation against this, and fails at the tag (R4.8).
STRANGER_PSK = os.urandom(32)

# Whose instances live in this process, for `rejectSelf` (§4.8).
own_instances: set[bytes] = set()


@dataclass(frozen=True)
class Announcement:
    unix_ms: int
    max_message: int
    max_in_flight: int
    max_incomplete: int
    features: int = 0

    def pack(self) -> bytes:
        return struct.pack(
            ">QIIII6x", self.unix_ms, self.max_message, self.max_in_flight, self.max_incomplete, self.features
        )

    @classmethod
    def unpack(cls, data: bytes) -> Announcement:
        """The reserved bytes are ignored (R4.4), and so is the clock (R4.3)."""
        return cls(*struct.unpack(">QIIII6x", data))


def collect(buffer: bytearray, data: bytes, preamble: bytes, size: int) -> bool:
    """Take bytes of a message; fail at the first wrong byte of the preamble (R4.2) and on bytes after the message."""
    start = len(buffer)
    buffer += data
    if buffer[start:8] != preamble[start : len(buffer)]:
        raise Failure("not the expected preamble" if len(buffer) < 6 or buffer[5] != 0xFF else "alert (a hint only)")
    if len(buffer) > size:
        raise Failure("bytes before their state")  # R4.10, R4.16
    return len(buffer) == size


class Initiator:
    """The client's side. Made for one connection; its message 1 is sent once (R4.20)."""

    def __init__(self, key: Key, service: str, own: Announcement, ephemeral: X25519PrivateKey | None = None) -> None:
        self._own = own
        self._d: X25519PrivateKey | None = ephemeral or X25519PrivateKey.generate()
        e, head = public_bytes(self._d), PREAMBLE_1 + key.key_id
        self._mixer = Mixer(prologue(head, service))
        self._mixer.mix_key_and_hash(key.psk)
        self._mixer.mix_hash(e)
        self._mixer.mix_key(e)
        self.message1 = head + e + self._mixer.seal(bytes(15))
        self._buffer = bytearray()
        self._e_r = b""
        self.server_id = b""
        self.peer: Announcement | None = None
        self.keys: tuple[bytes, bytes] | None = None

    def feed(self, data: bytes, reject_self: bool = False) -> bool:
        """Take bytes of message 2; true when it was verified, in the order of §4.2."""
        if self.keys is not None:
            raise Failure("bytes before CONFIRM was written")  # R4.16
        if not collect(self._buffer, data, PREAMBLE_2, MESSAGE_2):
            return False
        message, d = bytes(self._buffer), self._d
        assert d is not None
        self._e_r, m = message[8:40], self._mixer
        m.mix_hash(self._e_r)
        m.mix_key(self._e_r)
        m.mix_key(exchange(d, self._e_r))
        payload = m.open(message[40:])
        if len(payload) != 46:
            raise Failure("payload 2 has a wrong length")  # R4.21
        self.server_id, peer = payload[:16], Announcement.unpack(payload[16:])
        if peer.max_message < 65536 or peer.max_in_flight == 0:
            raise Failure("the server's limits are too small")  # R4.5
        if reject_self and self.server_id in own_instances:
            raise Failure("the server is of this process")
        self.peer, self.keys, self._d = peer, m.split(), None
        return True

    def confirm(self, instance: X25519PrivateKey) -> bytes:
        """The inner of CONFIRM, only after message 2 was verified (R4.29). Features stay 0 (R4.4)."""
        assert self.keys is not None
        s = public_bytes(instance)
        inner = bytes([CONFIRM]) + s + proof(self._mixer.h, exchange(instance, self._e_r), s) + self._own.pack()
        self._mixer.h = self._e_r = b""  # R4.23
        return inner


class Responder:
    """The server's side up to the verified CONFIRM."""

    def __init__(
        self, keyring: Mapping[bytes, Key], service: str, server_id: bytes, own: Announcement,
        ephemeral: X25519PrivateKey | None = None,
    ) -> None:
        self._keyring, self._service, self._server_id, self._own = keyring, service, server_id, own
        self._d, self._buffer = ephemeral, bytearray()
        self._mixer: Mixer | None = None
        self.key_id = self.client_ephemeral = b""
        self.keys: tuple[bytes, bytes] | None = None

    @property
    def begun(self) -> bool:
        return bool(self._buffer)

    def feed(self, data: bytes) -> bytes | None:
        """Take bytes of message 1; message 2 when it was verified. No key pair is made before that (R4.9)."""
        if not collect(self._buffer, data, PREAMBLE_1, MESSAGE_1):
            return None
        message = bytes(self._buffer)
        self.key_id, e_i = message[8:16], message[16:48]
        key = self._keyring.get(self.key_id)
        m = Mixer(prologue(message[:16], self._service))
        m.mix_key_and_hash(key.psk if key else STRANGER_PSK)  # R4.8
        m.mix_hash(e_i)
        m.mix_key(e_i)
        payload = m.open(message[48:])
        if len(payload) != 15 or key is None:
            raise Failure("payload 1 has a wrong length")  # R4.21
        self.client_ephemeral = e_i
        self._d = self._d or X25519PrivateKey.generate()
        e_r = public_bytes(self._d)
        m.mix_hash(e_r)
        m.mix_key(e_r)
        m.mix_key(exchange(self._d, e_i))
        sealed = m.seal(self._server_id + self._own.pack())
        self.keys, self._mixer = m.split(), m
        return PREAMBLE_2 + e_r + sealed

    def confirm(self, inner: bytes, reject_self: bool = False) -> tuple[bytes, Announcement]:
        """S and the client's limits. The record's length and tag were checked before (R4.30)."""
        d, m = self._d, self._mixer
        assert d is not None and m is not None
        h, self._d, self._mixer = m.h, None, None  # R4.23: gone whether it is verified or not
        if inner[:1] != bytes([CONFIRM]):
            raise Failure("the first record is not CONFIRM")
        if len(inner) != CONFIRM_INNER:
            raise Failure("CONFIRM has a wrong length")
        s = inner[1:33]
        if not hmac.compare_digest(proof(h, exchange(d, s), s), inner[33:49]):
            raise Failure("the instance proof is wrong")
        peer = Announcement.unpack(inner[49:])
        if peer.features & ~self._own.features:
            raise Failure("a feature that was not offered")  # R4.4
        if peer.max_message < 65536:
            raise Failure("the client's limits are too small")  # R4.5
        if reject_self and s in own_instances:
            raise Failure("the client is of this process")
        return s, peer
