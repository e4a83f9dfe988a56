"""Appendix A, byte for byte, in both roles."""

import hashlib
import re
import unittest
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sealwire import handshake, keyfile, message
from sealwire.cipher import hkdf_extract, rekey
from sealwire.data import ABSENT, decode, encode
from sealwire.errors import transport_error
from sealwire.frame import ACK, CANCEL, ERROR, FROM_CLIENT, FROM_SERVER, LAST, NEXT, REQUEST, EVENT, build, cut, parse
from sealwire.handshake import Announcement
from sealwire.limits import Limits, boottime
from sealwire.record import Opener, Sealer

H = bytes.fromhex
TEXT = (Path(__file__).parents[3] / "docs/protocol.md").read_text("utf-8").split("## Appendix A.")[1].split("## Appendix B")[0]


def value(name: str) -> bytes:
    """A value of the appendix; long ones are continued on indented lines."""
    found = re.search(rf"^{name} +([0-9a-f]+(?:\n +[0-9a-f]+)*)$", TEXT, re.M)
    assert found, name
    return H(re.sub(r"\s+", "", found[1]))


def records(part: str) -> list[dict[str, bytes]]:
    block = TEXT.split(f"Records of the {part}.")[1].split("```")[1]
    out = []
    for item in re.split(r"^n = \d+\n", block, flags=re.M)[1:]:
        fields = re.findall(r"^  (\S.*?)  +([0-9a-f]+(?:\n +[0-9a-f]+)*)$", item.replace("SHA-256 of the record", "record sum").replace("inner, first 64 bytes", "head ").replace("SHA-256 of the inner ", "inner sum "), re.M)
        out.append({name.strip(): H(re.sub(r"\s+", "", text)) for name, text in fields})
    return out


def private(name: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(value(name))


BIG = message.request(0, "b", bytes(i % 251 for i in range(70000 - 4 - 2 - 1 - 2 - 1)))
FIRST, REST = cut(REQUEST, 3, BIG, 0, False), None
CLIENT = Announcement(1767225600123, 8388608, 0, 67108864)
SERVER = Announcement(1767225600456, 4194304, 1024, 33554432)
NOTE = {"text": "é" * 600, "n": 7}
SAID = [
    b"\x01" + build(REQUEST, 0, 1, message.request(1500, "sum", [1, 2, 3])),
    b"\x01" + build(EVENT, 0, 2, message.event(0, {"cmd": "note"}, NOTE, {"traceparent": "00-1"})),
    b"\x01" + FIRST[0],
    b"\x01" + cut(REQUEST, 3, BIG, FIRST[1], False)[0],
    b"\x05" + H("0102030405060708"), b"\x02", b"\x08" + (131088).to_bytes(8, "big"),
    b"\x01" + build(CANCEL, 0, 1), b"\x03\x00",
]
ANSWERED = [
    b"\x01" + build(NEXT, LAST, 1, encode(6)) + build(ACK, 0, 2),
    b"\x01" + build(NEXT, LAST, 3, b"\x04" + "done ✓".encode()),
    b"\x01" + build(ERROR, 0, 4, encode({"status": "error", "message": "The server is overloaded", "code": "ERR_OVERLOADED"})),
    None, b"\x06" + H("0102030405060708"), b"\x04", b"\x03\x00",
]


class Vectors(unittest.TestCase):
    def setUp(self) -> None:
        self.key = keyfile.derive(value("keyFile"))
        self.client = handshake.Initiator(self.key, "orders", CLIENT, private("initiatorEphemeralPrivate"))
        self.server = handshake.Responder(
            {self.key.key_id: self.key}, "orders", value("serverInstanceId"), SERVER, private("responderEphemeralPrivate"))

    def test_keys(self) -> None:
        self.assertEqual(hkdf_extract(b"sealwire key file v1", value("keyFile")), value("prk"))
        self.assertEqual((self.key.psk, self.key.key_id), (value("psk"), value("keyId")))
        self.assertEqual(handshake.prologue(handshake.PREAMBLE_1 + self.key.key_id, "orders"), value("prologue"))

    def confirmed(self) -> bytes:
        message2 = self.server.feed(self.client.message1)
        self.assertEqual(self.client.message1, value("message1"))
        self.assertEqual(message2, value("message2"))
        self.assertTrue(self.client.feed(message2))
        self.assertEqual(self.client.peer, SERVER)
        self.assertEqual(self.client._mixer.h, value("handshakeHash"))
        self.assertEqual(self.server._mixer.h, value("handshakeHash"))
        for keys in (self.client.keys, self.server.keys):
            self.assertEqual(keys, (value("keyClientToServer"), value("keyServerToClient")))
        return self.client.confirm(private("instancePrivate"))

    def test_handshake(self) -> None:
        inner = self.confirmed()
        self.assertEqual(handshake.public_bytes(private("instancePrivate")), value("instancePublic"))
        self.assertEqual(hashlib.sha256(value("instancePublic")).digest()[:16], value("instanceId"))
        self.assertEqual(inner[33:49], value("proof"))
        self.assertEqual(self.server.confirm(inner), (value("instancePublic"), CLIENT))
        self.assertEqual(rekey(value("keyClientToServer")), value("keyClientToServerRekeyed"))

    def same(self, wanted: dict[str, bytes], inner: bytes, record: bytes) -> None:
        if "inner" in wanted:
            self.assertEqual((inner, record), (wanted["inner"], wanted["record"]))
        else:
            self.assertEqual(inner[:64], wanted["head"])
            self.assertEqual(hashlib.sha256(inner).digest(), wanted["inner sum"])
            self.assertEqual(hashlib.sha256(record).digest(), wanted["record sum"])

    def through(self, key: bytes, inners: list[bytes], wanted: list[dict[str, bytes]]) -> list[bytes]:
        """Seal as one side and open as the other."""
        sealer, opener = Sealer(key, Limits(), boottime), Opener(key, Limits(), boottime)
        self.assertEqual(len(inners), len(wanted))
        out = []
        for inner, want in zip(inners, wanted):
            record = sealer.seal(inner)
            self.same(want, inner, record)
            self.assertEqual(opener.next(bytearray(record)), (inner, len(record) - 2))
            out.append(record)
        return out

    def test_records(self) -> None:
        sealed = self.through(value("keyClientToServer"), [self.confirmed(), *SAID], records("client"))
        self.assertEqual(len(sealed), 10)
        taken = sum(len(r) - 2 for r in sealed[1:5])
        answers = [a if a is not None else b"\x08" + taken.to_bytes(8, "big") for a in ANSWERED]
        self.through(value("keyServerToClient"), answers, records("server"))

    def test_what_the_records_say(self) -> None:
        frames = parse(SAID[1][1:], FROM_CLIENT)
        pattern, metadata, data = message.parse_head(frames[0].piece, 8)
        self.assertEqual((pattern, metadata, decode(data)), ('{"cmd":"note"}', {"traceparent": "00-1"}, NOTE))
        self.assertEqual(data[0], 3)
        frames = parse(ANSWERED[0][1:], FROM_SERVER)
        self.assertEqual([f.kind for f in frames], [NEXT, ACK])
        self.assertEqual(decode(frames[0].piece), 6)
        self.assertIsNot(decode(b"\x02"), None)
        self.assertIs(decode(b"\x02"), ABSENT)
        self.assertEqual(len(transport_error("ERR_OVERLOADED")), 3)


if __name__ == "__main__":
    unittest.main()
