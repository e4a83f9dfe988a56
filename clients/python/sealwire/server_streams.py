"""Streams as a server sees them: opened by the client's frames, closed by the final frame (§6.5, §6.6)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

from .errors import Violation
from .frame import CANCEL, FROM_CLIENT, NEXT, REQUEST, Frame
from .outbox import Lane, Message
from .session import Session


@dataclass(eq=False)
class ServerStream:
    id: int
    kind: int
    lane: Lane
    began: float  # when its first frame was read
    complete: bool = False  # the request or event was read whole
    answered: bool = False  # the final frame is queued or sealed
    timed: bool = False  # its timeout was read
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None


class StreamOwner(Protocol):
    """Who runs the handlers: dispatch.py."""

    def request(self, stream: ServerStream, message: bytes) -> None: ...
    def event(self, stream: ServerStream, message: bytes) -> None: ...
    def no_memory(self, stream: ServerStream, head: bytes) -> None: ...
    def timeout(self, stream: ServerStream, ms: int) -> None: ...
    def cancelled(self, stream: ServerStream) -> None: ...


class ServerStreams(Session):
    """Opens streams as the client's frames arrive, and closes them with the final frame that it seals."""

    peer_kinds = FROM_CLIENT

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.owner: StreamOwner
        self.open: dict[int, ServerStream] = {}

    def _count_open(self) -> int:
        return len(self.open)

    def _begin(self, lane: Lane) -> None:
        raise AssertionError("a server opens no stream")

    def _take(self, f: Frame) -> None:
        stream = self.open.get(f.stream)
        if f.kind == CANCEL:
            if f.stream > self.highest:
                raise Violation("R6.5 CANCEL above the highest id")
            if stream:
                self._end(stream)
                self.owner.cancelled(stream)
            return
        if f.stream > self.highest:
            if self.goaway_read:
                raise Violation("R5.17 a new stream after GOAWAY")
            if len(self.open) >= self.own.max_in_flight:
                raise Violation("R6.16 one stream too many")
            self.highest = f.stream
            stream = self.open[f.stream] = ServerStream(f.stream, f.kind, Lane(f.stream), self.clock())
        elif stream is None:
            return  # late (R6.7)
        elif stream.complete:
            raise Violation("R6.10 the message is complete already")
        self._assemble(stream, f)

    def _assemble(self, stream: ServerStream, f: Frame) -> None:
        message = self.assembly.take(f)
        partial = self.assembly.partials.get(f.stream)
        stream.complete = message is not None
        if self.close_sent or self._close_code is not None:
            return  # after its own CLOSE a server starts no handler (R5.22)
        head = message or bytes(partial.data[:8] if partial else b"")
        if stream.kind == REQUEST and not stream.timed and len(head) >= 4:
            stream.timed = True  # it counts from the first frame, also while the request is incomplete (R6.20)
            self.owner.timeout(stream, int.from_bytes(head[:4], "big"))
        if partial and partial.refused:
            self.owner.no_memory(stream, head)
        elif message and not stream.answered:
            (self.owner.request if stream.kind == REQUEST else self.owner.event)(stream, message)

    def answer(
        self, stream: ServerStream, kind: int, data: bytes = b"", last: bool = False, drop: bool = False
    ) -> None:
        """Queue one piece of an answer. With `drop`, what waits on the stream is not sent any more."""
        if stream.answered or self.open.get(stream.id) is not stream:
            return
        stream.answered = last or kind != NEXT
        message = Message(kind, data, last)
        if drop:
            self.outbox.urgent(stream.lane, message)
        else:
            self.outbox.put(stream.lane, message)

    def _sealed(self, lane: Lane, message: Message) -> None:
        if message.last or message.kind != NEXT:
            self._end(self.open[lane.stream])

    def _end(self, stream: ServerStream) -> None:
        """The stream is closed, whatever is incomplete on it; what still comes is late."""
        del self.open[stream.id]
        self.outbox.end(stream.lane)
        self.assembly.drop(stream.id)
