"""Client against server as two sessions with a fake clock: order, credit, updates, draining, memory."""

import unittest
from dataclasses import replace

from sealwire.frame import ACK, COMPLETE, ERROR, EVENT, FROM_CLIENT, NEXT, REQUEST, parse
from sealwire.limits import Limits
from sealwire.window import Sequences, Window, Windows
from tests.helpers import Clock, Result, Wire, event, everything, fails

REQ = b"\0\0\0\0\0\1p\0\0\2"


def sized(size):
    return b"\0\0\0\0\0\1p\0\0\1" + bytes(size - 10)


class Sessions(unittest.TestCase):
    def make(self, client=Limits(), server=Limits()):
        self.wire = Wire(client, server)
        self.client, self.server = self.wire.client(), self.wire.server()
        self.owner = self.server.owner

    def run_both(self, room=65536):
        """Move bytes until both are quiet."""
        while True:
            up, down = self.client.pump(room), self.server.pump(room)
            if not up and not down:
                return
            if up:
                self.server.feed(up)
            if down:
                self.client.feed(down)

    def start(self, payload=REQ, kind=REQUEST):
        result = Result(payload, kind)
        self.client.start_call(result.call)
        return result

    def test_answers(self):
        self.make()
        a, b, c, e = self.start(), self.start(), self.start(), event()
        self.client.start_call(e.call)
        self.run_both()
        one, two, three = (stream for stream, _ in self.owner.requests)
        self.server.answer(one, NEXT, b"\0" b"1")
        self.server.answer(one, NEXT, b"\0" b"2", last=True)
        self.server.answer(one, NEXT, b"\0" b"3")  # after the final one: nothing
        self.server.answer(two, NEXT, b"\0" b"1")
        self.server.answer(two, COMPLETE)
        self.server.answer(three, ERROR, bytes(70_000))
        self.server.answer(self.owner.events[0][0], ACK)
        self.run_both()
        self.assertEqual(a.got, [(NEXT, b"\0" b"1", False), (NEXT, b"\0" b"2", True)])
        self.assertEqual(b.got, [(NEXT, b"\0" b"1", False), (COMPLETE, b"", True)])
        self.assertEqual((c.got, e.got), ([(ERROR, bytes(70_000), True)], [(ACK, b"", True)]))
        self.assertEqual((self.client.open, self.server.open), ({}, {}))

    def test_small_frames_share_a_record(self):
        self.make()
        for _ in range(10):
            self.start()
        self.run_both()
        self.assertEqual((self.client.sent[1], len(self.owner.requests)), (1, 10))

    def test_slots_queue(self):
        self.make(server=replace(Limits(), max_in_flight=2))
        calls = [self.start() for _ in range(5)]
        self.run_both()
        self.assertEqual(len(self.owner.requests), 2)
        self.client.cancel(calls[4].call)
        self.client.cancel(calls[0].call)
        self.run_both()
        self.assertEqual((self.owner.cancels, len(self.owner.requests)), ([1], 3))
        for stream, _ in self.owner.requests:
            self.server.answer(stream, COMPLETE)
        self.run_both()
        self.assertEqual([s.id for s, _ in self.owner.requests], [1, 2, 3, 4])

    def test_cancel_before_the_first_frame_sends_nothing(self):
        self.make()
        call = self.start()
        self.client.cancel(call.call)
        self.assertEqual(everything(self.client), b"")

    def test_cancel_in_the_middle_of_a_fragmented_request(self):
        self.make()
        call = self.start(sized(1_000_000))
        self.server.feed(self.client.pump(1))
        self.client.cancel(call.call)
        self.run_both()
        self.assertEqual((self.owner.requests, self.owner.cancels, self.server.assembly.totals), ([], [1], 0))
        self.assertEqual(self.client.outbox.waiting, 0)

    def test_early_end(self):
        self.make()
        call = self.start(sized(1_000_000))
        self.server.feed(self.client.pump(1))
        stream = self.server.open[1]
        self.server.answer(stream, ERROR, b"\0" b"1")
        self.client.pump(70_000)  # crosses
        self.client.feed(everything(self.server))
        self.assertEqual(call.got, [(ERROR, b"\0" b"1", True)])
        self.assertTrue(self.client.outbox.empty)

    def test_timeout_is_read_from_an_incomplete_request(self):
        self.make()
        self.start((1500).to_bytes(4, "big") + sized(300_000)[4:])
        self.server.feed(self.client.pump(1))
        self.assertEqual(self.owner.timeouts, [(1, 1500)])

    def test_fragments_take_turns_and_small_ones_pass(self):
        self.make()
        for size in (300_000, 300_000, 30_000):
            self.start(sized(size))
        bodies = self.wire.raw_server().read(self.client.pump(200_000))
        streams = [f.stream for inner in bodies for f in parse(inner[1:], FROM_CLIENT)]
        self.assertEqual(streams, [1, 2, 3, 1, 2][: len(streams)])

    def test_bulk_gets_one_record_in_eight(self):
        self.make()
        self.start(sized(260_000))
        order = []
        raw = self.wire.raw_server()
        for _ in range(40):
            self.start(sized(16_000))
        for inner in raw.read(everything(self.client)):
            order.append(max(len(f.piece) for f in parse(inner[1:], FROM_CLIENT)) > 16_384)
        self.assertEqual(order.index(True), 7)

    def test_credit_holds_bulk_and_nothing_else(self):
        self.make()
        big, small = self.start(sized(2_000_000)), []
        everything(self.client)
        outstanding = self.client.taker.outstanding
        self.assertTrue(262_144 <= outstanding < 262_144 + 65_520)
        small = self.start()
        self.assertNotEqual(everything(self.client), b"")
        self.client.cancel(big.call)
        self.assertNotEqual(everything(self.client), b"")  # CANCEL does not wait
        self.wire.clock.now += 59
        self.client.taker.check(60)
        self.wire.clock.now += 1
        with fails(self, "R5.32"):
            self.client.taker.check(60)
        self.assertIsNone(small.failed)

    def test_credit_flows(self):
        self.make()
        self.start(sized(3_000_000))
        self.run_both()
        self.assertEqual(len(self.owner.requests[0][1]), 3_000_000)
        self.assertTrue(self.server.sent[8] >= 3_000_000 // 262_144)
        self.server.answer(self.owner.requests[0][0], NEXT, bytes(5_000_000), last=True)
        self.run_both()
        self.assertLess(self.server.taker.outstanding, 131_072)

    def test_credit_passes_data_at_once(self):
        self.make()
        self.start(sized(200_000))
        self.start()
        self.server.feed(everything(self.client))
        self.server.answer(self.owner.requests[0][0], COMPLETE)
        kinds = [inner[0] for inner in self.wire.raw_client().read(everything(self.server))]
        self.assertEqual(kinds, [8, 1])

    def test_sixteen_incomplete_and_totals(self):
        self.make(server=replace(Limits(), max_incomplete=200_000))
        for _ in range(4):
            self.start(sized(90_000))
        self.run_both(1)
        self.assertEqual(len(self.owner.requests), 4)
        self.make()
        for _ in range(20):
            self.start(sized(90_000))
        self.server.feed(self.client.pump(262_000))
        self.assertTrue(len(self.server.assembly.partials) <= 16)
        self.run_both()
        self.assertEqual(len(self.owner.requests), 20)

    def test_a_message_above_the_peers_limit_fails_locally(self):
        self.make(server=replace(Limits(), max_message=65_536))
        self.assertIsNone(self.start(sized(65_536)).failed)
        self.assertIn("larger", str(self.start(sized(65_537)).failed))

    def test_update_by_work(self):
        soft = replace(Limits(), key_records_soft=1)
        self.make(soft, soft)
        for _ in range(300):
            self.start()
            self.run_both()
            self.server.answer(self.owner.requests[-1][0], COMPLETE)
            self.run_both()
        self.assertEqual((self.client.sent[2], self.server.sent[2]), (4, 4))  # after 64 records each
        self.make(replace(Limits(), key_bytes_soft=1), Limits())
        self.start(sized(6_000_000))
        self.run_both()
        self.assertEqual(self.client.sent[2], 1)

    def test_update_by_age_and_after_a_suspension(self):
        self.make()
        raw = self.wire.raw_server()
        self.start()
        raw.read(everything(self.client))
        self.start()
        self.wire.clock.now += 3600
        self.client.ping()
        self.assertEqual([inner[0] for inner in raw.read(everything(self.client))], [2, 5, 1])

    def test_a_short_soft_age_keeps_the_allowance(self):
        self.make(replace(Limits(), key_age_soft=1.0))
        for _ in range(40):
            self.wire.clock.now += 2
            self.run_both()
        self.assertEqual(self.client.sent[2], 16)
        self.wire.clock.now += 1860
        self.run_both()
        self.assertEqual(self.client.sent[2], 17)

    def test_order_of_control(self):
        self.make()
        self.server.feed(self.wire.raw_client().seal(b"\5" + bytes(8)))
        self.server.ping()
        self.server.drain()
        kinds = [inner[0] for inner in self.wire.raw_client().read(everything(self.server))]
        self.assertEqual(kinds, [5, 6, 4])
        self.server.ping()
        self.server.close(3)
        self.assertEqual(self.wire.raw_client().opener.n, 0)
        self.assertEqual(self.server.pump(1)[:2], b"\0\x20")
        self.assertTrue(self.server.close_sent)
        self.assertEqual(everything(self.server), b"")

    def test_goaway_of_the_client(self):
        self.make()
        call = self.start()
        self.run_both()
        self.client.drain()
        self.run_both()
        self.assertTrue(self.server.goaway_read and self.server.goaway_sent and not self.client.close_sent)
        self.server.answer(self.owner.requests[0][0], COMPLETE)
        self.run_both()
        self.assertEqual(call.got, [(COMPLETE, b"", True)])
        self.assertTrue(self.client.ended and self.server.ended)

    def test_goaway_of_the_server(self):
        self.make()
        self.start()
        self.run_both()
        self.server.drain()
        self.start()
        self.server.feed(b"")
        late = self.client.pump(1)  # a request that crosses the GOAWAY is served
        self.client.on_goaway = lambda: moved.extend(self.client.withdraw())
        moved = []
        self.client.feed(everything(self.server))
        self.server.feed(late + everything(self.client))
        self.assertEqual((len(self.owner.requests), moved), (2, []))
        for stream, _ in self.owner.requests:
            self.server.answer(stream, COMPLETE)
        self.run_both()
        self.assertTrue(self.client.ended and self.server.ended)

    def test_goaway_of_both(self):
        self.make()
        self.client.drain()
        self.server.drain()
        up, down = self.client.pump(1 << 20), self.server.pump(1 << 20)
        self.server.feed(up)
        self.client.feed(down)
        self.run_both()
        self.assertTrue(self.client.ended and self.server.ended)

    def test_close(self):
        self.make()
        self.start()
        self.run_both()
        self.server.close(2)
        self.client.feed(everything(self.server))
        raw = self.wire.raw_server()
        raw.opener.n = self.client.sealer.n
        self.assertEqual(raw.read(everything(self.client)), [b"\3\2"])  # the answer repeats the code
        self.assertTrue(self.client.ended)

    def test_no_handler_after_own_close(self):
        self.make()
        self.server.close(0)
        everything(self.server)
        self.start()
        self.server.feed(everything(self.client))
        self.assertEqual(self.owner.requests, [])

    def test_ping(self):
        self.make()
        self.wire.clock.now += 30
        self.client.check()
        self.run_both()
        self.assertTrue(self.client.answered)
        self.assertEqual((self.client.sent[5], self.server.sent[6]), (1, 1))

    def test_session_ends_before_its_counter(self):
        self.make(client=replace(Limits(), session_records=5))
        for _ in range(6):
            self.start()
            self.run_both()
        self.assertEqual((self.client.sealer.n, self.client.close_sent, self.server.close_read), (5, True, True))

    def test_memory(self):
        self.make(server=replace(Limits(), memory=100_000))
        request, later = self.start(sized(500_000)), event(bytes(7) + b"\5" + bytes(400_000))
        self.client.start_call(later.call)
        self.run_both(1)
        one, _ = next(r for r in self.owner.refused if r[0].kind == REQUEST)
        two, head = next(r for r in self.owner.refused if r[0].kind == EVENT)
        self.assertEqual((one.kind, two.kind, head), (REQUEST, EVENT, bytes(8)))
        self.assertEqual((self.owner.requests, self.owner.events), ([], []))
        self.assertEqual(self.wire.memory[1].used, 0)
        self.assertEqual(request.got, [])
        self.make(client=replace(Limits(), memory=100_000))
        request = self.start()
        self.run_both()
        self.server.answer(self.owner.requests[0][0], NEXT, bytes(500_000), last=True)
        self.run_both()
        self.assertIn("memory", str(request.failed))
        self.assertEqual(self.wire.memory[0].used, 0)

    def test_error_passes_a_value_that_waits(self):
        self.make()
        call = self.start()
        self.run_both()
        stream = self.owner.requests[0][0]
        self.server.answer(stream, NEXT, bytes(1_000_000))
        self.client.feed(self.server.pump(1))
        self.server.answer(stream, ERROR, b"\0" b"1", drop=True)
        self.run_both()
        self.assertEqual(call.got, [(ERROR, b"\0" b"1", True)])

    def test_lost(self):
        self.make(server=replace(Limits(), max_in_flight=1))
        sent, queued = self.start(), self.start()
        self.run_both()
        self.client.lose("gone")
        self.assertTrue(sent.failed.sent and not queued.failed.sent)


class Events(unittest.TestCase):
    def test_window(self):
        window = Window(4)
        self.assertFalse(window.knows(0))
        for sequence in (0, 1, 5):
            window.record(sequence)
        self.assertEqual([window.knows(s) for s in range(7)], [True, True, False, False, False, True, False])
        window.record(6)
        self.assertTrue(window.knows(2))
        for sequence in range(7, 100):
            window.record(sequence)
        self.assertTrue(all(window.knows(s) for s in range(100)) and not window.knows(100))

    def test_windows_are_kept(self):
        clock = Clock()
        windows = Windows(clock)
        windows.enter(b"a", 4).record(3)
        windows.leave(b"a")
        clock.now += 599
        self.assertTrue(windows.enter(b"a", 4).knows(3))
        clock.now += 10_000
        windows.enter(b"b", 4)
        windows.leave(b"b")
        self.assertTrue(windows.enter(b"a", 4).knows(3))  # it has a connection
        windows.leave(b"a")
        windows.leave(b"a")
        clock.now += 601
        windows.enter(b"b", 4)
        windows.leave(b"b")
        self.assertFalse(windows.enter(b"a", 4).knows(3))

    def test_sequences(self):
        s = Sequences(3)
        self.assertEqual([s.reserve() for _ in range(4)], [True, True, True, False])
        self.assertEqual([s.begin() for _ in range(3)], [0, 1, 2])
        s.settle(1)
        self.assertFalse(s.reserve())  # 3 is more than 2 above 0
        s.settle(0)
        self.assertTrue(s.reserve())
        s.release()
        self.assertTrue(s.reserve())
        self.assertEqual(s.begin(), 3)

    def test_ids_and_sequences_follow_sealing(self):
        wire = Wire()
        client = wire.client()
        large, small = event(bytes(300_000)), event()
        client.start_call(large.call)
        client.start_call(small.call)
        everything(client)
        self.assertEqual((small.call.lane.stream, small.call.sequence), (1, 0))
        self.assertEqual((large.call.lane.stream, large.call.sequence), (2, 1))


if __name__ == "__main__":
    unittest.main()
