"""A client object: one instance key, the connections it uses, and the calls (§4.6, §4.8, §5.11, §6.7)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from . import handshake, message
from .assembly import Memory
from .calls import acknowledged, values
from .client_connection import ClientConnection, Dial
from .client_streams import Call
from .data import ABSENT
from .errors import CallError, ConnectionLost, Failure
from .keyfile import Key
from .limits import Clock, Limits, boottime
from .mixer import public_bytes
from .session import DONE, GOING_AWAY
from .window import Sequences


class Client:
    def __init__(
        self, key: Key, dial: Dial, *, service: str = "default", limits: Limits = Limits(),
        reject_self: bool = False, clock: Clock = boottime,
    ) -> None:
        self.key, self.dial, self.service, self.limits = key, dial, service, limits
        self.reject_self, self.clock = reject_self, clock
        self.instance = X25519PrivateKey.generate()  # never stored, logged or shown (R4.28)
        self.memory = Memory(limits.memory)
        self.current: ClientConnection | None = None
        self.connections: set[ClientConnection] = set()
        self.renewals = 0
        self.stats: dict[str, int] = {}
        self._public = public_bytes(self.instance)
        handshake.own_instances.add(self._public)
        self.sequences: dict[bytes, Sequences] = {}
        self._waiting: list[Call] = []
        self.homes: dict[Call, ClientConnection] = {}
        self._dialing: asyncio.Task[None] | None = None
        self.closed = self.left = False

    # Calls.
    def stream(
        self, pattern: Any, data: Any = ABSENT, *, timeout: float | None = None, metadata: dict[str, Any] | None = None
    ) -> AsyncGenerator[Any, None]:
        """The values of an answer, as they come. The server gets the timeout as well (§6.8)."""
        ms = min(max(1, round(timeout * 1000)), 2**32 - 1) if timeout else 0
        return values(self, message.request(ms, pattern, data, metadata), timeout)

    async def request(self, pattern: Any, data: Any = ABSENT, **options: Any) -> Any:
        """The last value of the answer, or ABSENT if it has none."""
        value: Any = ABSENT
        async for value in self.stream(pattern, data, **options):
            pass
        return value

    async def emit(
        self, pattern: Any, data: Any = ABSENT, *, metadata: dict[str, Any] | None = None, resend: bool = True
    ) -> None:
        """Send an event and wait for its ACK. After a lost connection it goes again, to the same server (R6.24)."""
        await acknowledged(self, message.event(0, pattern, data, metadata), resend)

    def submit(self, call: Call) -> None:
        if self.closed:
            call.fail(CallError("the client is closed"))
        elif self.current and self.current.session:
            self.homes[call] = self.current
            self.current.session.start_call(call)
            self.current.wake()
        else:
            self._waiting.append(call)
            self._dial_soon()

    def cancel(self, call: Call) -> None:
        home = self.homes.pop(call, None)
        if call in self._waiting:
            self._waiting.remove(call)
        elif home and home.session and not home.over.done():
            home.session.cancel(call)
            home.wake()

    # Connections.
    def sequences_of(self, server_id: bytes, in_flight: int) -> Sequences:
        sequences = self.sequences.setdefault(server_id, Sequences(in_flight))
        sequences.smallest = min(sequences.smallest, in_flight)
        return sequences

    async def connect(self) -> None:
        """Returns when message 2 was verified and CONFIRM was written (§4.6)."""
        if self._dialing:
            await asyncio.shield(self._dialing)
        if self.current is None:
            await (await self._dial(proven=False)).ready

    async def _dial(self, proven: bool) -> ClientConnection:
        made = ClientConnection(self, proven)
        self.connections.add(made)
        try:
            async with asyncio.timeout(self.limits.connect):
                await self.dial(lambda: made)
                await asyncio.shield(made.ready)
        except BaseException as why:
            made.fail(why if isinstance(why, Exception) else Failure("given up"))
            raise
        return made

    def _dial_soon(self) -> None:
        if self._dialing is None and not self.closed:
            self._dialing = asyncio.get_running_loop().create_task(self._replace())

    async def _replace(self) -> None:
        """Dial until it succeeds, as long as there is a connection to stay on (R5.37)."""
        delay, attempts = 0.1, 0
        try:
            while not self.closed:
                try:
                    if sum(c.over.done() is False for c in self.connections) <= self.limits.draining_most:  # R5.38
                        attempts += 1
                        await self._dial(proven=self.current is not None or self.left)
                        return
                except (OSError, Failure) as why:  # a passed deadline is an OSError as well
                    if self.current is None and attempts >= (3 if self.left else 1):
                        self._fail_waiting(f"no connection: {why}")
                        return
                await asyncio.sleep(delay * (1 + random.random()))
                delay = min(2 * delay, 30.0)
        finally:
            self._dialing = None

    def _fail_waiting(self, why: str) -> None:
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call.fail(ConnectionLost(why, call.begun))

    def use(self, made: ClientConnection) -> None:
        """A new connection is ready: calls go there, and the old one drains (R5.36)."""
        old, self.current, self.left = self.current, made, False
        waiting, self._waiting = self._waiting, []
        if old and old.session:
            self.renewals += 1
            waiting += old.session.withdraw()
            old.session.drain(GOING_AWAY)
            old.wake()
        for call in waiting:
            self.submit(call)

    def renew(self, old: ClientConnection) -> None:
        if old is self.current:
            self._dial_soon()

    def leave(self, old: ClientConnection) -> None:
        """GOAWAY was read: what has not begun waits for another connection."""
        assert old.session
        waiting = old.session.withdraw()
        if old is self.current:
            self.current, self.left = None, True
        self._waiting += waiting
        if waiting:
            self._dial_soon()

    def gone(self, made: ClientConnection) -> None:
        self.connections.discard(made)
        if made is self.current:
            self.current = None
        if made.session:
            made.session.add_records(self.stats)

    def records(self) -> dict[str, int]:
        """The records of all connections so far, by direction and type."""
        stats = dict(self.stats)
        for each in self.connections:
            if each.session:
                each.session.add_records(stats)
        return stats

    async def close(self) -> None:
        """Finish what is open, within the drain deadline, then CLOSE."""
        self.closed = True
        handshake.own_instances.discard(self._public)
        if self._dialing:
            self._dialing.cancel()
        self._fail_waiting("the client is closed")
        live = [c for c in self.connections if c.session]
        for each in live:
            assert each.session
            for call in each.session.withdraw():
                call.fail(ConnectionLost("the client is closed", call.begun))
            each.session.drain(DONE)
            each.wake()
        if live:
            await asyncio.wait([c.over for c in live], timeout=self.limits.drain)
        for each in list(self.connections):
            if each.session and not each.over.done():
                each.session.close(GOING_AWAY)
                each.pump()
                await asyncio.wait([each.over], timeout=self.limits.close)
            each.fail(Failure("the client is closed"))
