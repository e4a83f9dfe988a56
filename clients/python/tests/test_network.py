"""A client object against a server object over sockets."""

import asyncio
import os
import socket
import tempfile
import unittest
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from sealwire.client import Client
from sealwire.client_connection import over, unix
from sealwire.data import ABSENT
from sealwire.errors import CallError, ConnectionLost, Failure, RemoteError, RpcError, TransportError
from sealwire.frame import ACK, ERROR, EVENT, REQUEST, build
from sealwire.handshake import ALERT, Announcement, Initiator
from sealwire.keyfile import check
from sealwire.limits import Limits
from sealwire.message import event, request
from sealwire.server import Server
from tests.helpers import KEY, Clock, Raw

FAST = replace(Limits(), tick=0.02, handshake=3.0, connect=3.0, close=1.0, drain=3.0)


class Base(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.pairs = []

    async def asyncTearDown(self):
        for each in self.pairs:
            await each.close() if isinstance(each, Client) else await each.close(grace=0)

    async def until(self, holds):
        """Wait for something that will be true soon, however busy the machine is."""
        async with asyncio.timeout(10):
            while not holds():
                await asyncio.sleep(0.01)

    def server(self, limits=FAST, **options):
        server = Server(KEY, limits=limits, **options)
        self.notes, self.cancels, self.started = [], [], []

        async def slow(call):
            self.started.append(call.data)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancels.append(call.data)
                raise

        self.slow = slow

        async def count(call):
            for at in range(call.data):
                yield at

        async def fail(call):
            raise RpcError(call.data)

        async def broken(call):
            raise ZeroDivisionError

        server.handle("echo", lambda call: call.data)
        for name, handler in (("slow", slow), ("count", count), ("fail", fail), ("broken", broken)):
            server.handle(name, handler)
        server.handle("big", lambda call: b"x" * 99_000)
        server.handle("nan", lambda call: float("nan"))
        server.on("note", lambda call: self.notes.append((call.data, call.metadata)))
        self.pairs.append(server)
        return server

    def client(self, server, limits=FAST, **options):
        def make():
            ours, theirs = socket.socketpair()
            asyncio.get_running_loop().create_task(server.adopt(theirs))
            return ours

        client = Client(options.pop("key", KEY), over(make), limits=limits, **options)
        self.pairs.insert(0, client)
        return client


class Calls(Base):
    async def test_requests(self):
        client = self.client(self.server())
        for value in (1, None, ABSENT, b"raw", "x" * 5000, {"t": "é" * 3000, "n": 1}, [1, [2]], b"z" * 700_000):
            self.assertEqual(await client.request("echo", value), value)
        self.assertEqual([v async for v in client.stream("count", 300)], list(range(300)))
        self.assertIs(await client.request("count", 0), ABSENT)
        self.assertEqual(await asyncio.gather(*(client.request("echo", n) for n in range(100))), list(range(100)))

    async def test_confirm_shares_its_write_with_the_first_request(self):
        client = self.client(self.server())
        await client.request("echo", 1)
        self.assertEqual(client.current.session.sent[7], 1)

    async def test_errors(self):
        client = self.client(self.server(allow=lambda key_id, pattern: pattern != "secret"))
        for value in ({"x": 1}, "text", None):
            with self.assertRaises(RemoteError) as caught:
                await client.request("fail", value)
            self.assertEqual(caught.exception.value, value)
        shape = {"status": "error", "message": "m", "code": "ERR_OVERLOADED"}
        with self.assertRaises(RemoteError) as caught:
            await client.request("fail", shape)
        self.assertEqual(caught.exception.value, {**shape, "application": True})
        with self.assertLogs("sealwire"), self.assertRaises(RemoteError) as caught:
            await client.request("broken")
        self.assertEqual(caught.exception.value, {"status": "error", "message": "Internal server error"})
        with self.assertRaises(RemoteError) as caught:
            await client.request("nothing")
        self.assertIn("no matching", caught.exception.value)
        with self.assertLogs("sealwire"):
            await self.code(client.request("nan"), "ERR_MESSAGE_UNSERIALIZABLE")
        await self.code(client.request("secret"), "ERR_FORBIDDEN")
        await self.code(client.emit("secret"), "ERR_FORBIDDEN")

    async def code(self, call, code):
        with self.assertRaises(TransportError) as caught:
            await call
        self.assertEqual(caught.exception.code, code)

    async def test_limits(self):
        server = self.server(replace(FAST, max_message=65_536, max_in_flight=1))
        client = self.client(server, replace(FAST, max_message=65_536))
        with self.assertRaises(CallError):
            await client.request("echo", b"x" * 65_536)
        client = self.client(self.server(), replace(FAST, max_message=65_536))
        await self.code(client.request("echo", b"x" * 65_536), "ERR_MESSAGE_TOO_LARGE")
        client = self.client(self.server(replace(FAST, waiting=100_000)))
        a, b = (asyncio.create_task(client.request("big")) for _ in "ab")
        await a
        await self.code(b, "ERR_ANSWER_OVERFLOW")

    async def test_running(self):
        server = self.server(replace(FAST, max_in_flight=1, running_total=1))
        release = asyncio.Event()

        async def stubborn(call):
            try:
                await self.slow(call)
            except asyncio.CancelledError:
                await release.wait()

        server.handle("stubborn", stubborn)
        client = self.client(server)
        call = asyncio.create_task(client.request("stubborn", 1))
        await self.until(lambda: self.started)
        waits = asyncio.create_task(client.request("echo", 2))  # no slot: it waits
        await asyncio.sleep(0.05)
        self.assertFalse(waits.done())
        call.cancel()
        await self.code(waits, "ERR_OVERLOADED")  # a slot, but the cancelled handler keeps its place (R6.17)
        await self.code(client.emit("note", 1), "ERR_OVERLOADED")
        release.set()
        await self.until(lambda: not server.running)
        self.assertEqual(await client.request("echo", 2), 2)
        await client.emit("note", 1)
        self.assertEqual(len(self.notes), 1)

    async def test_cancel_and_timeout(self):
        client = self.client(self.server())
        call = asyncio.create_task(client.request("slow", 1))
        await self.until(lambda: self.started)
        call.cancel()
        async for value in client.stream("count", 100_000):
            if value == 3:
                break
        with self.assertRaises(CallError):
            await client.request("slow", 2, timeout=0.3)
        await self.until(lambda: self.cancels == [1, 2])
        self.assertEqual(client.current.session.open, {})

    async def test_events(self):
        client = self.client(self.server(replace(FAST, max_in_flight=3)))
        await client.emit("note", 1, metadata={"m": 1})
        await asyncio.gather(*(client.emit("note", n) for n in range(2, 30)))
        await client.emit("nobody", 1)
        await client.emit("note", b"x" * 300_000)
        self.assertEqual(self.notes[0], (1, {"m": 1}))
        self.assertEqual(sorted(n for n, _ in self.notes[:29]), list(range(1, 30)))
        self.assertEqual(len(self.notes), 30)

    async def test_an_event_goes_again_after_a_lost_connection(self):
        server = self.server()
        client = self.client(server)
        await client.emit("note", 0)
        (home,) = server.connections
        home.session.answer = lambda *args, **more: None  # the ACK gets lost
        call = asyncio.create_task(client.emit("note", 1))
        await self.until(lambda: len(self.notes) == 2)
        home.fail(Failure("cut"))
        await call
        self.assertEqual(len(self.notes), 2)  # the window knew it
        await client.emit("note", 2)
        self.assertEqual([n for n, _ in self.notes], [0, 1, 2])

    async def test_an_event_does_not_go_to_another_server(self):
        server = self.server()
        client = self.client(server)
        await client.connect()
        (home,) = server.connections
        home.session.answer = lambda *args, **more: None
        call = asyncio.create_task(client.emit("note", 1))
        await self.until(lambda: self.notes)
        server.instance_id = os.urandom(16)
        home.fail(Failure("cut"))
        with self.assertRaises(CallError) as caught:
            await call
        self.assertIn("sent", str(caught.exception))

    async def test_bulk_both_ways(self):
        client = self.client(self.server())
        big = os.urandom(3_000_000)
        answers = await asyncio.gather(*(client.request("echo", big) for _ in range(3)), client.request("echo", 1))
        self.assertEqual(answers, [big, big, big, 1])
        self.assertGreater(client.current.session.read[8], 10)


class Connections(Base):
    async def test_renewal(self):
        server = self.server()
        client = self.client(server, replace(FAST, session_age_client=0.2))
        slow = asyncio.create_task(client.request("slow", 1))
        for n in range(50):
            self.assertEqual(await client.request("echo", n), n)
            await client.emit("note", n)
            await asyncio.sleep(0.02)
        self.assertGreaterEqual(client.renewals, 3)
        self.assertTrue(2 <= len(client.connections) <= 5)
        self.assertFalse(slow.done())  # on its old connection
        self.assertEqual(len(self.notes), 50)
        self.assertEqual(server.failures, [])
        slow.cancel()

    async def test_goaway_by_age_of_the_server(self):
        server = self.server(replace(FAST, session_age_server=0.15))
        client = self.client(server)
        slow, most = asyncio.create_task(client.request("slow", 1)), 0
        for n in range(30):
            self.assertEqual(await client.request("echo", n), n)
            most = max(most, len(server.connections))
            await asyncio.sleep(0.02)
        self.assertGreater(most, 1)
        self.assertFalse(slow.done())
        slow.cancel()

    async def test_key_age(self):
        limits = replace(FAST, key_age_soft=0.1)
        client = self.client(self.server(limits), limits)
        await client.request("echo", 1)
        await self.until(lambda: min(client.current.session.sent[2], client.current.session.read[2]) >= 3)
        self.assertEqual(await client.request("echo", 2), 2)

    async def test_shutdown_of_the_server(self):
        server = self.server(replace(FAST, drain=0.1))
        client = self.client(server)
        slow = asyncio.create_task(client.request("slow", 1))
        await self.until(lambda: self.started)
        await server.close()
        with self.assertRaises(TransportError) as caught:
            await slow
        self.assertEqual(caught.exception.code, "ERR_STREAM_CUT")
        self.assertEqual((client.current, server.failures), (None, []))

    async def test_shutdown_of_the_client(self):
        server = self.server()
        client = self.client(server)
        await client.connect()
        call = asyncio.create_task(client.request("echo", 1))
        await self.until(lambda: client.current.session.highest)
        await client.close()
        self.assertEqual(await call, 1)
        with self.assertRaises(CallError):
            await client.request("echo", 1)
        await self.until(lambda: not server.connections)
        self.assertEqual(server.failures, [])

    async def test_no_more_connections(self):
        server = self.server(replace(FAST, connections=1))
        one, two = self.client(server), self.client(server)
        self.assertEqual(await one.request("echo", 1), 1)
        with self.assertRaises(ConnectionLost):
            await two.request("echo", 1)

    async def test_wrong_key_gets_an_alert(self):
        server = self.server()
        client = self.client(server, key=check(bytes(range(150, 182))))
        with self.assertRaises(ConnectionLost) as caught:
            await client.request("echo", 1)
        self.assertIn("alert", str(caught.exception))

    async def test_truncation(self):
        server = self.server()
        client = self.client(server)
        slow = asyncio.create_task(client.request("slow", 1))
        await self.until(lambda: self.started)
        (home,) = server.connections
        home.transport.write_eof()
        with self.assertRaises(ConnectionLost):
            await slow
        await self.until(lambda: self.cancels == [1])

    async def test_unix_socket(self):
        server = self.server()
        with tempfile.TemporaryDirectory() as folder:
            await server.listen_unix(folder + "/s")
            client = Client(KEY, unix(folder + "/s"), limits=FAST)
            self.assertEqual(await client.request("echo", 1), 1)
            await client.close()

    async def test_reject_self(self):
        with self.assertRaises(ConnectionLost):
            await self.client(self.server(reject_self=True)).request("echo", 1)
        with self.assertRaises(ConnectionLost):
            await self.client(self.server(), reject_self=True).request("echo", 1)


class Strangers(Base):
    """A peer made by hand, on a plain socket."""

    async def dial(self, server):
        ours, theirs = socket.socketpair()
        await server.adopt(theirs)
        return await asyncio.open_connection(sock=ours)

    async def all(self, reader):
        try:
            return await asyncio.wait_for(reader.read(), 2)
        except ConnectionError:
            return b"reset"

    async def confirmed(self, server, change=lambda inner: inner, instance=None):
        reader, writer = await self.dial(server)
        made = Initiator(KEY, "default", Announcement(0, 65536, 0, 0))
        writer.write(made.message1)
        made.feed(await reader.readexactly(104))
        raw = Raw(*made.keys, Clock())
        self.raw_confirm = raw.seal(change(made.confirm(instance or X25519PrivateKey.generate())))
        return reader, writer, raw

    async def test_alert_for_everything_before_message_2(self):
        server = self.server(replace(FAST, handshake=0.5))
        good = Initiator(KEY, "default", Announcement(0, 65536, 0, 0)).message1
        for sent in (b"GET / HTTP/1.1", b"\xe1x", good[:79] + b"x", good + b"x", ALERT):
            reader, writer = await self.dial(server)
            writer.write(sent)
            self.assertEqual(await self.all(reader), ALERT)
            writer.close()
        for sent in (b"", good[:40]):  # the end of the stream, and a passed deadline
            reader, writer = await self.dial(server)
            writer.write(sent)
            if sent:
                writer.write_eof()
            self.assertEqual(await self.all(reader), ALERT)
            writer.close()
        self.assertEqual((len(server.strangers), len(server.failures)), (0, 7))

    async def test_nothing_after_message_2(self):
        server = self.server(replace(FAST, handshake=0.5))
        for change in (lambda i: b"\1" + i[1:], lambda i: i + b"x", lambda i: i[:40] + b"x" + i[41:]):
            reader, writer, _ = await self.confirmed(server, change)
            writer.write(self.raw_confirm)
            self.assertIn(await self.all(reader), (b"", b"reset"))
            writer.close()
        for sent in (b"\0\x20", b"\0\x70", b""):  # by the length alone; by the deadline
            reader, writer, _ = await self.confirmed(server)
            writer.write(sent)
            self.assertIn(await self.all(reader), (b"", b"reset"))
            writer.close()

    async def test_every_split_of_confirm_and_a_request(self):
        server = self.server()
        for cut in (1, 2, 50, 97, 98, 99, 100, 140):
            reader, writer, raw = await self.confirmed(server)
            stream = self.raw_confirm + raw.data(build(REQUEST, 0, 1, request(0, "echo", 7)))
            writer.write(stream[:cut])
            await asyncio.sleep(0.01)
            writer.write(stream[cut:])
            self.assertEqual(raw.read(await reader.readexactly(34))[0][-2:], b"\x007")
            writer.close()

    async def test_events_by_hand(self):
        server, instance = self.server(), X25519PrivateKey.generate()

        async def answer(message, raw, reader, writer, stream):
            writer.write(raw.data(build(EVENT, 0, stream, message)))
            head = await reader.readexactly(2)
            inner = raw.read(head + await reader.readexactly(int.from_bytes(head, "big")))[0]
            return inner[1] & 15, inner[9:]

        for again in (False, True):  # two connections of one client object share the window
            reader, writer, raw = await self.confirmed(server, instance=instance)
            writer.write(self.raw_confirm)
            for stream, (message, kind, said) in enumerate((
                (event(0, "note", 1), ACK, b""), (event(0, "note", 2), ACK, b""), (b"\0" * 7, ERROR, b"MALFORMED"),
                (event(2**53, "note", 1), ERROR, b"MALFORMED"), (event(1, "note", 1)[:-3], *((ACK, b"") if again else (ERROR, b"MALFORMED"))),
                (event(0, "note", 1)[:-3], ACK, b""),  # known, whatever else is wrong
                (event(1, "note", 3), ACK, b""),
            ), 1):
                got, data = await answer(message, raw, reader, writer, stream)
                self.assertEqual(got, kind)
                self.assertIn(said, data)
            writer.close()
        self.assertEqual([n for n, _ in self.notes], [1, 3])

    async def test_bad_content_of_a_request(self):
        server = self.server()
        reader, writer, raw = await self.confirmed(server)
        writer.write(self.raw_confirm + raw.data(build(REQUEST, 0, 1, b"\0\0\0\0\0\1")) + raw.data(
            build(REQUEST, 0, 2, request(0, "echo", 1)[:-2] + b"\0{")) + raw.data(build(REQUEST, 0, 3, request(50, "slow", 1))))
        data = b""
        while data.count(b"ERR_") < 3:
            data += b"".join(raw.read(await reader.read(10_000)))
        self.assertEqual((data.count(b"ERR_MESSAGE_MALFORMED"), data.count(b"ERR_REQUEST_TIMEOUT")), (2, 1))
        writer.close()

    async def test_eviction(self):
        server = self.server(replace(FAST, strangers=2, handshake=5.0))
        silent, verified, third = await self.dial(server), await self.confirmed(server), await self.dial(server)
        self.assertEqual(await self.all(silent[0]), ALERT)
        fourth = await self.dial(server)
        self.assertEqual(await self.all(third[0]), ALERT)
        self.assertEqual(len(server.strangers), 2)
        for each in (silent, verified, third, fourth):
            each[1].close()


if __name__ == "__main__":
    unittest.main()
