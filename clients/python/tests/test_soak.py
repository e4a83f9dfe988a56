"""Two conforming sessions do whatever they like over a slow wire: none ever sees a violation."""

import os
import random
import unittest
from dataclasses import replace

from sealwire.errors import CallError
from sealwire.frame import ACK, COMPLETE, ERROR, EVENT, NEXT, REQUEST
from sealwire.limits import Limits
from tests.helpers import Result, Wire

SIZES = (10, 11, 300, 16_384, 16_385, 65_494, 65_495, 70_000, 250_000)


class Soak(unittest.TestCase):
    def run_one(self, seed):
        rnd = random.Random(seed)
        small = replace(Limits(), max_message=rnd.choice((65_536, 260_000)), max_incomplete=rnd.choice((0, 150_000, 10**7)),
                        max_in_flight=rnd.choice((1, 3, 20)), key_records_soft=rnd.choice((1, 100)),
                        memory=rnd.choice((60_000, 10**9)), window_cap=rnd.choice((262_144, 4 * 2**20)))
        wire = Wire(small, replace(small, max_incomplete=rnd.choice((0, 10**7))))
        client, server = wire.client(), wire.server()
        owner, calls, up, down = server.owner, [], bytearray(), bytearray()
        working = []

        def move(session, pipe, peer_pipe, peer):
            if rnd.random() < 0.7 and len(pipe) < 300_000:
                pipe += session.pump(rnd.choice((1, 65_536, 200_000)))
            count = min(len(pipe), rnd.choice((1, 40, 5000, 100_000)))
            if count:
                peer.feed(bytes(pipe[:count]))
                del pipe[:count]

        def step(busy):
            wire.clock.now += rnd.random() / 50
            if busy and rnd.random() < 0.3:
                kind = rnd.choice((REQUEST, REQUEST, EVENT))
                call = Result(os.urandom(rnd.choice(SIZES)), kind)
                calls.append(call)
                client.start_call(call.call)
            if busy and calls and rnd.random() < 0.05:
                client.cancel(rnd.choice(calls).call)
            if busy and rnd.random() < 0.02:
                rnd.choice((client, server)).ping()
            move(client, up, down, server)
            move(server, down, up, client)
            working.extend(stream for stream, _ in owner.requests)
            for stream, _ in owner.events:
                server.answer(stream, *rnd.choice(((ACK, b""), (ERROR, b"\0" b"1"))))
            for stream, _ in owner.refused:
                server.answer(stream, ERROR, b"\0" b"1")
            owner.requests, owner.events, owner.refused = [], [], []
            for stream in list(working):
                what, data = rnd.random(), os.urandom(rnd.choice(SIZES))
                if server.open.get(stream.id) is not stream or stream.answered:
                    working.remove(stream)
                elif len(data) <= small.max_message and server.outbox.waiting < 2_000_000:
                    if what < 0.3:
                        server.answer(stream, NEXT, data)
                    elif what < 0.5:
                        server.answer(stream, NEXT, data, last=True)
                    elif what < 0.6:
                        server.answer(stream, COMPLETE)
                    elif what < 0.7:
                        server.answer(stream, ERROR, data, drop=rnd.random() < 0.5)

        for _ in range(400):
            step(True)
        client.drain()
        for _ in range(100_000):
            step(False)
            if client.ended and server.ended:
                break
        self.assertTrue(client.ended and server.ended, seed)
        self.assertEqual((client.open, server.open, wire.memory[0].used, wire.memory[1].used), ({}, {}, 0, 0))
        for call in calls:
            end = [last for _, _, last in call.got if last]
            self.assertTrue(call.call.cancelled or isinstance(call.failed, CallError) or len(end) == 1, seed)

    def test_soak(self):
        for seed in range(int(os.environ.get("SOAK", "12"))):
            with self.subTest(seed=seed):
                self.run_one(seed)


if __name__ == "__main__":
    unittest.main()
