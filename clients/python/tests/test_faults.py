"""What a peer may do wrong, and every split of the stream of bytes."""

import os
import unittest
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sealwire import handshake
from sealwire.errors import Failure, Violation
from sealwire.frame import ACK, CANCEL, COMPLETE, ERROR, EVENT, FIRST, LAST, MORE, NEXT, REQUEST, build
from sealwire.handshake import Announcement, Initiator, Responder
from sealwire.limits import Limits
from sealwire.record import Opener, Sealer
from tests.helpers import KEY, Clock, Result, Wire, event, everything, fails

OWN = Announcement(1, 65536, 0, 0)
SERVER = Announcement(1, 65536, 4, 0)
REQ = b"\0\0\0\0\0\1p\0\0\2"
BIG = 70000


def first(kind, stream, total, piece=b"x"):
    return build(kind, FIRST | MORE, stream, total.to_bytes(4, "big") + piece)


def pair(own=OWN, server=SERVER, service="default"):
    return Initiator(KEY, "default", own), Responder({KEY.key_id: KEY}, service, b"i" * 16, server)


class Handshake(unittest.TestCase):
    def test_every_split(self):
        for cut in range(1, 80):
            client, server = pair()
            self.assertIsNone(server.feed(client.message1[:cut]))
            message2 = server.feed(client.message1[cut:])
            self.assertEqual(len(message2), 104)
        for cut in range(1, 104):
            client, server = pair()
            message2 = server.feed(client.message1)
            self.assertFalse(client.feed(message2[:cut]))
            self.assertTrue(client.feed(message2[cut:]))
            instance = X25519PrivateKey.generate()
            self.assertEqual(server.confirm(client.confirm(instance))[0], handshake.public_bytes(instance))

    def test_every_bit(self):
        client, server = pair()
        good = client.message1
        for bit in range(80 * 8):
            bad = bytearray(good)
            bad[bit // 8] ^= 1 << bit % 8
            server = pair()[1]
            with self.assertRaises(Failure):
                server.feed(bytes(bad))
            self.assertIsNone(server._d)  # no key pair before the tag was verified (R4.9)
        message2 = pair()[1].feed(good)
        for bit in range(104 * 8):
            client = Initiator(KEY, "default", OWN)
            message2 = bytearray(pair()[1].feed(client.message1))
            message2[bit // 8] ^= 1 << bit % 8
            with self.assertRaises(Failure):
                client.feed(bytes(message2))

    def test_top_bit_of_a_public_key_counts(self):
        client, server = pair()
        message2 = bytearray(server.feed(client.message1))
        message2[39] ^= 0x80
        with self.assertRaises(Failure):
            client.feed(bytes(message2))

    def test_first_wrong_byte_fails(self):
        for wrong in (b"G", b"\xe1T", handshake.ALERT, handshake.MAGIC + b"\x03", handshake.PREAMBLE_2):
            with self.assertRaises(Failure):
                pair()[1].feed(wrong[:6])

    def test_bytes_before_their_state(self):
        client, server = pair()
        with fails(self, "before their state"):
            server.feed(client.message1 + b"x")
        client, server = pair()
        with fails(self, "before their state"):
            client.feed(server.feed(client.message1) + b"x")

    def test_wrong_service_key_limits(self):
        with fails(self, "does not open"):
            client, server = pair(service="other")
            server.feed(client.message1)
        server = Responder({}, "default", b"i" * 16, SERVER)
        with fails(self, "does not open"):
            server.feed(client.message1)
        for bad in (replace(SERVER, max_message=65535), replace(SERVER, max_in_flight=0)):
            client, server = pair(server=bad)
            with fails(self, "too small"):
                client.feed(server.feed(client.message1))

    def test_low_order_point(self):
        for point in (bytes(32), b"\1" + bytes(31)):
            with fails(self, "low-order"):
                handshake.exchange(X25519PrivateKey.generate(), point)

    def confirmed(self, change=lambda inner: inner, own=OWN):
        client, server = pair(own)
        client.feed(server.feed(client.message1))
        return server, change(client.confirm(X25519PrivateKey.generate()))

    def test_confirm(self):
        changes = {
            "not CONFIRM": lambda i: b"\1" + i[1:], "wrong length": lambda i: i + b"x",
            "proof is wrong": lambda i: i[:33] + bytes([i[33] ^ 1]) + i[34:],
            "low-order": lambda i: i[:1] + bytes(32) + i[33:],
            "not offered": lambda i: i[:49 + 23] + b"\1" + i[49 + 24:],
        }
        for why, change in changes.items():
            server, inner = self.confirmed(change)
            with fails(self, why):
                server.confirm(inner)
        server, inner = self.confirmed(own=replace(OWN, max_message=65535))
        with fails(self, "too small"):
            server.confirm(inner)
        server, inner = self.confirmed(lambda i: i[:-6] + b"ignore")  # reserved bytes (R4.4)
        server.confirm(inner)

    def test_reject_self(self):
        client, server = pair()
        handshake.own_instances.add(b"i" * 16)
        try:
            with fails(self, "this process"):
                client.feed(server.feed(client.message1), reject_self=True)
        finally:
            handshake.own_instances.discard(b"i" * 16)


class Records(unittest.TestCase):
    def setUp(self):
        self.wire = Wire()
        self.raw, self.server = self.wire.raw_client(), self.wire.server()

    def test_every_split_and_every_bit(self):
        stream = self.raw.data(build(REQUEST, 0, 1, REQ)) + self.raw.seal(b"\5" + bytes(8)) + self.raw.seal(b"\3\0")
        for cut in range(len(stream) + 1):
            server = self.wire.server()
            server.feed(stream[:cut])
            if cut < len(stream):
                server.feed(stream[cut:])
            self.assertEqual([m for _, m in server.owner.requests], [REQ])
            self.assertTrue(server.close_read)
        server = self.wire.server()
        for at in range(len(stream)):
            server.feed(stream[at : at + 1])
        self.assertTrue(server.close_read)
        for bit in range(8 * 50):  # the first record
            bad = bytearray(stream)
            bad[bit // 8] ^= 1 << bit % 8
            server = self.wire.server()
            try:
                server.feed(bytes(bad))
            except Failure:
                pass
            else:
                self.assertLess(bit, 16)  # a longer length waits for more bytes, and then does not open
            self.assertEqual(server.owner.requests, [])

    def test_replay_reorder_reflect(self):
        one, two = self.raw.data(build(REQUEST, 0, 1, REQ)), self.raw.data(build(REQUEST, 0, 2, REQ))
        for stream in (one + one, two, two + one, self.wire.raw_server().data(build(REQUEST, 0, 1, REQ))):
            with fails(self, "does not open"):
                self.wire.server().feed(stream)

    def bad(self, why, *inners, server=None):
        with fails(self, why, Violation):
            (server or self.wire.server()).feed(self.wire.raw_client().seal(*inners))

    def test_lengths(self):
        for length in (0, 16, 31, 33, 65521, 65535, 0xE153):
            with fails(self, "R5.1"):
                self.wire.server().feed(length.to_bytes(2, "big"))

    def test_types_and_bodies(self):
        self.bad("R5.4", b"\1")
        for inner in (b"\0", b"\x09", b"\xff", b"\2x", b"\3", b"\3\4", b"\3\0\0", b"\4x", b"\5", b"\6" + bytes(9),
                      b"\x08" + bytes(7), b"\7" + bytes(78)):
            self.bad("R5.4", inner)
        sealer = self.wire.raw_client().sealer
        tag = sealer.cipher.seal(0, bytes(8) + b"\0\x20", b"")
        with fails(self, "empty inner"):
            self.wire.server().feed(b"\0\x20" + tag)

    def test_control(self):
        self.bad("R5.13", b"\5" + bytes(8), b"\5" + bytes(8))
        self.bad("R5.14", b"\6" + bytes(8))
        self.bad("R5.15", b"\4", b"\4")
        self.bad("R5.20", b"\3\0", b"\4")
        for taken in (0, 65535):
            self.bad("R5.31 CREDIT rises", b"\x08" + taken.to_bytes(8, "big"))
        self.bad("R5.31 CREDIT above", b"\x08" + (65536).to_bytes(8, "big"))
        self.bad("R5.31 CREDIT of", b"\x08" + (2**53).to_bytes(8, "big"))
        server = self.wire.server()
        server.close(0)
        everything(server)
        raw = self.wire.raw_client()
        server.feed(raw.seal(b"\5" + bytes(8), b"\5" + bytes(8), b"\x08" + bytes(8)))  # ignored after our CLOSE
        with fails(self, "R5.31"):
            server.feed(raw.seal(b"\x08" + b"\xff" * 8))

    def test_key_updates(self):
        raw, server = self.wire.raw_client(), self.wire.server()
        for _ in range(16):
            server.feed(raw.seal(b"\2"))
        with fails(self, "R5.9"):
            server.feed(raw.seal(b"\2"))
        raw, server = self.wire.raw_client(), self.wire.server()
        for _ in range(16):
            server.feed(raw.seal(b"\2"))
        ping = b"\x01" + build(REQUEST, 0, 1, REQ)
        for at in range(16, 64):  # n = 63 gives one more
            server.feed(raw.seal(b"\x01" + build(CANCEL, 0, 1) if at > 16 else ping))
        server.feed(raw.seal(b"\2"))
        self.wire.clock.now += 1800
        server.feed(raw.seal(b"\2"))  # free
        with fails(self, "R5.9"):
            server.feed(raw.seal(b"\2"))

    def after(self, wire, inners, skip=1):
        raw = wire.raw_client()
        return b"".join([raw.seal(inner) for inner in inners][skip:])

    def test_hard_limits(self):
        for limits in (replace(Limits(), key_records_hard=3), replace(Limits(), key_bytes_hard=96)):
            wire = Wire(server=limits)
            request, cancel = build(REQUEST, 0, 1, REQ), build(CANCEL, 0, 1)
            with fails(self, "R5.10"):  # a further one, whatever its type
                wire.server().feed(wire.raw_client().data(request) + wire.raw_client().seal()
                                   + self.after(wire, [b"\1" + request, b"\1" + cancel, b"\1" + cancel, b"\2"]))
            wire.server().feed(self.after(wire, [b"\1" + request, b"\1" + cancel, b"\2", b"\4"], skip=0))
        wire = Wire()
        server, raw = wire.server(), wire.raw_client()
        wire.clock.now += 7200
        with fails(self, "R5.10"):
            server.feed(raw.data(build(REQUEST, 0, 1, REQ)))
        server, raw = wire.server(), wire.raw_client()
        wire.clock.now += 7200
        server.feed(raw.seal(b"\2") + raw.data(build(REQUEST, 0, 1, REQ)))

    def test_deadlines(self):
        server, raw = self.wire.server(), self.raw
        server.feed(raw.data(first(REQUEST, 1, BIG)))
        server.feed(b"\0")
        self.wire.clock.now += 29
        server.check()
        server.feed(b"\x20")
        self.wire.clock.now += 1
        with fails(self, "was begun"):
            server.check()
        server, raw = self.wire.server(), self.wire.raw_client()
        server.feed(raw.data(first(REQUEST, 1, BIG)))
        self.wire.clock.now += 30
        with fails(self, "R6.12"):
            server.check()
        server = self.wire.server()
        self.wire.clock.now += 30
        server.check()
        everything(server)
        self.wire.clock.now += 60
        with fails(self, "R5.12"):
            server.check()


class Frames(unittest.TestCase):
    """Violations by form and by state, against a server and against a client."""

    def setUp(self):
        self.wire = Wire(server=replace(Limits(), max_in_flight=2, max_message=100_000, max_incomplete=150_000),
                         client=replace(Limits(), max_message=100_000, max_incomplete=150_000))

    def at_server(self, why, *frames, before=()):
        raw, server = self.wire.raw_client(), self.wire.server()
        for frame in before:
            server.feed(raw.data(frame))
        with fails(self, why, Violation):
            server.feed(raw.data(*frames))

    def at_client(self, why, *frames, kinds=(REQUEST,)):
        raw, client = self.wire.raw_server(), self.wire.client()
        for kind in kinds:
            client.start_call((Result(REQ) if kind == REQUEST else event()).call)
        everything(client)
        with fails(self, why, Violation):
            client.feed(raw.data(*frames))

    def test_form(self):
        self.at_server("R6.1", b"\1\0\0\1\0\0\0")
        self.at_server("R6.1", b"\1\0\0\2\0\0\0\1x")
        for kind in (0, NEXT, ERROR, COMPLETE, ACK, 8, 15):
            self.at_server("R6.2 kind", build(kind, 0, 1, b"x"))
        for kind in (REQUEST, EVENT, CANCEL, 0, 9):
            self.at_client("R6.2 kind", build(kind, 0, 1, b"x"))
        self.at_server("stream 0", build(REQUEST, 0, 0, REQ))
        for flags in (8, 9, FIRST, MORE | LAST, LAST, FIRST | LAST, 15, FIRST | MORE | 8):
            self.at_server("R6.2", build(REQUEST, flags, 1, b"\0\1\1\1xx"))
        for flags in (FIRST, MORE | LAST, FIRST | LAST, 7, 8, 8 | LAST):
            self.at_client("R6.2", build(NEXT, flags, 1, b"\0\1\1\1xx"))
        self.at_client("R6.2", build(ERROR, LAST, 1, b"x"))
        for kind in (COMPLETE, ACK):
            for frame in (build(kind, MORE, 1), build(kind, LAST, 1), build(kind, 0, 1, b"x")):
                self.at_client("R6.2", frame)
        for flags in (0, MORE, FIRST | MORE):
            self.at_server("R6.2 length 0", build(REQUEST, flags, 1))
        for payload in (b"\0", b"\0\1\x11\x70", (65494).to_bytes(4, "big") + b"x", bytes(4) + b"x"):
            self.at_server("R6.2", build(REQUEST, FIRST | MORE, 1, payload))
        # late frames are checked by form, too, and otherwise dropped
        self.at_server("R6.2", build(REQUEST, LAST, 1, b"x"), before=[build(REQUEST, 0, 1, REQ), build(CANCEL, 0, 1)])

    def test_state_at_the_server(self):
        start, more = first(REQUEST, 1, BIG), build(REQUEST, MORE, 1, b"x")
        self.at_server("R6.26", start, start)
        self.at_server("R6.27", more)
        self.at_server("R6.9", start, first(EVENT, 1, BIG))
        self.at_server("R6.9", start, build(EVENT, 0, 1, b"x"))
        self.at_server("R6.28", start, build(REQUEST, 0, 1, b"x"))
        self.at_server("R6.28", build(REQUEST, MORE, 1, bytes(40000)), build(REQUEST, MORE, 1, b""[:0] + bytes(9999)),
                       before=[first(REQUEST, 1, BIG, bytes(20001))])
        self.at_server("R6.28", build(REQUEST, MORE, 1, bytes(60000)), before=[first(REQUEST, 1, BIG, bytes(10000))])
        self.at_server("R6.28", build(REQUEST, 0, 1, bytes(60001)), before=[first(REQUEST, 1, BIG, bytes(10000))])
        self.at_server("R6.11", first(REQUEST, 1, 100_001))
        self.at_server("R6.19", start, first(REQUEST, 2, 80_001))
        self.at_server("R6.10", build(REQUEST, 0, 1, REQ), build(REQUEST, 0, 1, REQ))
        self.at_server("R6.10", build(EVENT, 0, 1, REQ), first(EVENT, 1, BIG))
        self.at_server("R6.5", build(CANCEL, 0, 1))
        self.at_server("R6.16", *[build(REQUEST, 0, stream, REQ) for stream in (1, 2, 3)])
        raw, server = self.wire.raw_client(), self.wire.server()
        with fails(self, "R5.17"):
            server.feed(raw.seal(b"\4") + raw.data(build(REQUEST, 0, 1, REQ)))

    def test_allowed_at_the_server(self):
        raw, server = self.wire.raw_client(), self.wire.server()
        server.feed(raw.data(first(REQUEST, 5, BIG), first(REQUEST, 9, 80_000)))  # equality, gaps
        server.feed(raw.data(build(CANCEL, 0, 5), build(REQUEST, MORE, 5, b"x"), first(REQUEST, 5, 99_999_999)))
        server.feed(raw.data(build(REQUEST, 0, 3, REQ)))  # late: never opened, below the highest
        self.assertEqual((server.owner.cancels, list(server.open)), ([5], [9]))
        self.assertEqual(server.assembly.totals, 80_000)
        self.assertEqual(server.giver.taken % 16, 0)

    def test_state_at_the_client(self):
        self.at_client("R6.6", build(NEXT, 0, 2, b"x"))
        self.at_client("R6.13", build(ACK, 0, 1))
        self.at_client("R6.14", build(NEXT, LAST, 1, b"x"), kinds=(EVENT,))
        self.at_client("R6.14", build(COMPLETE, 0, 1), kinds=(EVENT,))
        self.at_client("R6.9", first(NEXT, 1, BIG), build(COMPLETE, 0, 1))
        self.at_client("R6.9", first(ERROR, 1, BIG), build(NEXT, 0, 1, b"x"))
        self.at_client("R6.9", first(ERROR, 1, BIG), build(ACK, 0, 1), kinds=(EVENT,))
        self.at_client("R6.27", first(NEXT, 1, BIG), build(ERROR, MORE, 1, b"x"))
        self.at_client("R6.19", first(NEXT, 1, BIG), first(NEXT, 2, 80_001), kinds=(REQUEST, REQUEST))
        raw, client, result = self.wire.raw_server(), self.wire.client(), Result(REQ)
        client.start_call(result.call)
        everything(client)
        # an ERROR drops an incomplete NEXT, and frees its total before its own is counted
        client.feed(raw.data(first(NEXT, 1, 100_000), first(ERROR, 1, 100_000), build(ERROR, MORE, 1, b"x")))
        client.feed(raw.data(build(ERROR, MORE, 1, bytes(50_000))) + raw.data(build(ERROR, 0, 1, bytes(49_998))))
        self.assertEqual([(k, len(d), last) for k, d, last in result.got], [(ERROR, 100_000, True)])
        client.feed(raw.data(build(NEXT, 0, 1, b"late")))
        self.assertEqual((client.open, client.assembly.totals), ({}, 0))


class Noise(unittest.TestCase):
    def test_random_bytes(self):
        for _ in range(50):
            with self.assertRaises(Failure):
                pair()[1].feed(os.urandom(200))
        clock = Clock()
        for _ in range(50):
            sealer, opener = Sealer(b"k" * 32, Limits(), clock), Opener(b"l" * 32, Limits(), clock)
            with self.assertRaises(Failure):
                opener.next(bytearray(sealer.seal(b"\4")))


if __name__ == "__main__":
    unittest.main()
