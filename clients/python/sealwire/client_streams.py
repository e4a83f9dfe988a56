"""Streams as a client sees them: ids, slots, sequences, and the answers (§6.5, §6.6)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .assembly import REFUSED
from .errors import CallError, ConnectionLost, Violation
from .frame import ACK, CANCEL, COMPLETE, ERROR, EVENT, FROM_SERVER, LAST, NEXT, REQUEST, Frame
from .outbox import Lane, Message
from .session import Session
from .window import Sequences


@dataclass(eq=False)
class Call:
    """One request or event of a client. `deliver` gets the kind, the data and whether it is the end."""

    kind: int
    payload: bytes
    deliver: Callable[[int, bytes, bool], None]
    fail: Callable[[CallError], None]
    sequence: int | None = None  # of an event that has begun
    server_id: bytes = b""
    begun: bool = False
    done: bool = False
    cancelled: bool = False
    lane: Lane = field(default_factory=Lane)


class ClientStreams(Session):
    """Gives ids and sequences, keeps to the server's slots, and hands answers to calls."""

    peer_kinds = FROM_SERVER

    def __init__(self, *args: Any, sequences: Sequences, server_id: bytes) -> None:
        super().__init__(*args)
        self.sequences, self.server_id = sequences, server_id
        self.open: dict[int, Call] = {}
        self._waiting: deque[Call] = deque()  # no slot yet
        self._admitted: dict[Lane, Call] = {}  # have a slot, are not begun

    def _count_open(self) -> int:
        return len(self.open) + len(self._admitted) + len(self._waiting)

    def _may_goaway(self) -> bool:
        return not self._admitted and not self._waiting

    def start_call(self, call: Call) -> None:
        assert not self.goaway_sent  # R5.17: its owner uses another connection
        if len(call.payload) > self.peer.max_message:
            call.fail(CallError("the message is larger than the server accepts"))  # R6.11: before its first frame
        elif call.sequence is not None and call.server_id != self.server_id:
            call.fail(CallError("the event was sent, and the server object that may have taken it is gone"))  # R6.24
        elif len(self._waiting) >= self.limits.queued:
            call.fail(CallError("too many calls wait for a slot"))
        else:
            self._waiting.append(call)
            self.admit()

    def admit(self) -> None:
        """Queue what has a slot (R6.16) and, for an event, a sequence within the window (R6.23)."""
        while self._waiting and len(self.open) + len(self._admitted) < self.peer.max_in_flight:
            call = self._waiting[0]
            if call.kind == EVENT and call.sequence is None and not self.sequences.reserve():
                return
            self._waiting.popleft()
            call.lane = Lane()
            self._admitted[call.lane] = call
            self.outbox.put(call.lane, Message(call.kind, call.payload))

    def withdraw(self) -> list[Call]:
        """The calls that have not begun: they go to another connection."""
        calls = []
        for lane, call in self._admitted.items():
            self.outbox.end(lane)
            if call.kind == EVENT and call.sequence is None:
                self.sequences.release()
            calls.append(call)
        calls += self._waiting
        self._admitted.clear()
        self._waiting.clear()
        return calls

    def _begin(self, lane: Lane) -> None:
        """An id is given when the first frame is sealed, not before (R6.4); so is a sequence (R6.21)."""
        call = self._admitted.pop(lane)
        self.highest += 1
        lane.stream, call.begun = self.highest, True
        self.open[lane.stream] = call
        if call.kind == EVENT:
            if call.sequence is None:
                call.sequence, call.server_id = self.sequences.begin(), self.server_id
            message = lane.queue[0]
            message.payload = call.sequence.to_bytes(8, "big") + message.payload[8:]

    def _sealed(self, lane: Lane, message: Message) -> None:
        if message.kind == CANCEL:
            self._end(lane.stream)

    def cancel(self, call: Call) -> None:
        """Lose interest. CANCEL is only for a stream whose first frame was sealed (R6.15)."""
        if call.done or call.cancelled:
            return
        call.cancelled = True
        if self.open.get(call.lane.stream) is call:
            self.outbox.urgent(call.lane, Message(CANCEL))
        elif self._admitted.pop(call.lane, None):
            self.outbox.end(call.lane)
            if call.kind == EVENT and call.sequence is None:
                self.sequences.release()
            self.admit()
        elif call in self._waiting:
            self._waiting.remove(call)

    def _end(self, stream: int) -> None:
        call = self.open.pop(stream)
        call.done = True
        self.outbox.end(call.lane)
        self.assembly.drop(stream)
        if call.sequence is not None:
            self.sequences.settle(call.sequence)  # ACK, refusal or CANCEL: acknowledged or given up
        self.admit()

    def _take(self, f: Frame) -> None:
        if f.stream > self.highest:
            raise Violation("R6.6 a frame above the highest id")
        call = self.open.get(f.stream)
        if call is None:
            return  # late (R6.7)
        if call.kind == REQUEST and f.kind == ACK:
            raise Violation("R6.13 ACK for a request")
        if call.kind == EVENT and f.kind in (NEXT, COMPLETE):
            raise Violation("R6.14 NEXT or COMPLETE for an event")
        if f.kind in (COMPLETE, ACK):
            if f.stream in self.assembly.partials:
                raise Violation("R6.9 another kind than the incomplete message")
            message: bytes | None = b""
        else:
            message = self.assembly.take(f)
            if message is None or message == REFUSED:
                self._short_of_memory(call, f.stream)
        final = f.kind in (COMPLETE, ACK) or (f.kind == ERROR and not f.more) or bool(f.flags & LAST)
        if final:
            self._end(f.stream)
        if not call.cancelled and message is not None and (message or f.kind in (COMPLETE, ACK)):
            call.deliver(f.kind, message, final)

    def _short_of_memory(self, call: Call, stream: int) -> None:
        partial = self.assembly.partials.get(stream)
        if partial and partial.refused and not call.cancelled:  # R6.30
            self.cancel(call)
            call.fail(CallError("no memory for an incomplete answer"))

    def lose(self, why: str) -> None:
        """The connection is gone: everything pending fails (R5.24)."""
        for call in [*self.open.values(), *self._admitted.values(), *self._waiting]:
            if call.kind == EVENT and call.sequence is None and call.lane in self._admitted:
                self.sequences.release()
            if not call.cancelled:
                call.fail(ConnectionLost(why, call.begun))
            elif call.sequence is not None:
                self.sequences.settle(call.sequence)
        self.open.clear()
        self._admitted.clear()
        self._waiting.clear()
        self.assembly.clear()
