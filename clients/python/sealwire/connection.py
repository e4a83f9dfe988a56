"""One socket: bytes between asyncio and a handshake, then a session (§5.3, §5.7, §5.8, §5.9)."""

from __future__ import annotations

import asyncio
import time

from .errors import Failure
from .handshake import Announcement
from .limits import Clock, Limits
from .session import Session

READ_MOST = 65536  # one read
WRITE_STEP = 65536  # one write
WRITE_HIGH = 131_072  # above it sealing stops; with one write more that is about 256 KiB ahead (§5.3)


class Connection(asyncio.BufferedProtocol):
    """What a client and a server have in common. Reading never depends on writing (R5.19)."""

    transport: asyncio.Transport

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self.limits, self.clock = limits, clock
        self.loop = asyncio.get_running_loop()
        self.session: Session | None = None
        self.failure: Exception | None = None
        self.over: asyncio.Future[None] = self.loop.create_future()  # done when the connection has ended
        self.connected = False
        self.opened = clock()
        self._buffer = bytearray(READ_MOST)
        self._paused = self._scheduled = False
        self._written = self._moved = 0
        self._moved_at = clock()
        self._pumped: asyncio.Future[None] | None = None

    def announce(self, in_flight: int) -> Announcement:
        limits = self.limits
        return Announcement(int(time.time() * 1000), limits.max_message, in_flight, limits.max_incomplete)

    # What the two sides do.
    def want(self) -> int:
        """How many bytes a read of the handshake may take: what follows stays in the socket."""
        raise NotImplementedError

    def handshake(self, data: bytes) -> None:
        raise NotImplementedError

    def deadline(self) -> float:
        """How long the handshake may take."""
        raise NotImplementedError

    def on_failure(self) -> None:
        """Before a failed connection is destroyed. The server's alert goes out here."""

    def on_read(self) -> None:
        """After bytes were taken by the session."""

    def on_tick(self) -> None:
        """Once in a while, while the session lives."""

    def on_over(self) -> None:
        """The connection has ended, once."""

    # asyncio calls these.
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.connected = transport, True
        transport.set_write_buffer_limits(high=WRITE_HIGH)
        self.loop.call_later(self.limits.tick, self._tick)

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._buffer)[: READ_MOST if self.session else self.want()]

    def buffer_updated(self, nbytes: int) -> None:
        if self.over.done():
            return
        data = bytes(memoryview(self._buffer)[:nbytes])
        try:
            if self.session is None:
                self.handshake(data)
            else:
                self.session.feed(data)
                self.on_read()
        except Failure as why:
            self.fail(why)
            return
        self.wake()

    def eof_received(self) -> bool:
        if self.session and self.session.close_sent:
            self.end(None)
        else:
            self.fail(Failure("R5.23 the stream ended without CLOSE"))
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        orderly = self.session is not None and self.session.close_sent
        self.end(None if orderly else exc or Failure("the connection was lost"))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self.wake()

    # Writing.
    def wake(self) -> None:
        """Seal at the end of this turn: what is queued until then shares records."""
        if not self._scheduled and not self.over.done():
            self._scheduled = True
            self.loop.call_soon(self.pump)

    def pump(self) -> None:
        self._scheduled = False
        session = self.session
        if session is None or self.over.done():
            return
        while not self._paused and (data := session.pump(WRITE_STEP)):
            self.write(data)
        if self._pumped and not self._pumped.done():
            self._pumped.set_result(None)
        if session.ended:
            self.transport.close()  # what is written still goes out
            self.end(None)

    def write(self, data: bytes) -> None:
        self._written += len(data)
        self.transport.write(data)

    async def pumped(self) -> None:
        """Wait until something was sealed."""
        if self._pumped is None or self._pumped.done():
            self._pumped = self.loop.create_future()
        await asyncio.shield(self._pumped)

    # The end.
    def fail(self, why: Exception) -> None:
        """The first failure ends the connection for good (R5.24)."""
        if not self.over.done():
            self.on_failure()
            if self.connected:
                self.transport.abort()
            self.end(why)

    def end(self, why: Exception | None) -> None:
        if self.over.done():
            return
        self.failure = why
        self.over.set_result(None)
        if self._pumped and not self._pumped.done():
            self._pumped.set_result(None)
        if self.session:
            self.session.assembly.clear()
        if why is None and self.connected and not self.transport.is_closing():
            self.transport.close()
        self.on_over()

    # Time.
    def _tick(self) -> None:
        if self.over.done():
            if self.connected and self.transport.get_write_buffer_size():
                self.loop.call_later(self.limits.close, self.transport.abort)  # the last bytes had their time
            return
        try:
            self._check()
        except Failure as why:
            self.fail(why)
            return
        self.wake()
        self.loop.call_later(self.limits.tick, self._tick)

    def _check(self) -> None:
        session, now = self.session, self.clock()
        if session is None:
            if now - self.opened >= self.deadline():
                raise Failure("the handshake took too long")
            return
        session.check()
        if session.close_sent and now - session.closed_at >= self.limits.close:
            self.transport.abort()
            self.end(None)
            return
        waiting = self.transport.get_write_buffer_size()
        moved = self._written - waiting
        if moved != self._moved or not waiting:
            self._moved, self._moved_at = moved, now
        elif now - self._moved_at >= self.limits.socket_stuck:
            raise Failure("the socket takes nothing")
        self.on_tick()
