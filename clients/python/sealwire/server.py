"""A server object: its keyring, its handlers, and what its connections share (§4.5, §6.7, §7)."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable
from typing import Any

from . import handshake
from .assembly import Memory
from .dispatch import Handler
from .errors import Failure
from .keyfile import Key
from .limits import Clock, Limits, boottime
from .mixer import prologue
from .server_connection import ServerConnection
from .session import GOING_AWAY
from .strangers import Strangers
from .window import Windows


class Server:
    def __init__(
        self, keys: Key | Iterable[Key], *, service: str = "default", limits: Limits = Limits(),
        reject_self: bool = False, clock: Clock = boottime,
        allow: Callable[[bytes, str], bool] = lambda key_id, pattern: True,
    ) -> None:
        self.keyring = {key.key_id: key for key in ([keys] if isinstance(keys, Key) else keys)}
        prologue(b"", service)  # a bad service name is refused at the start
        self.service, self.limits, self.reject_self, self.clock, self.allow = service, limits, reject_self, clock, allow
        self.instance_id = os.urandom(16)
        handshake.own_instances.add(self.instance_id)
        self.handlers: dict[str, Handler] = {}
        self.listeners: dict[str, list[Handler]] = {}
        self.memory = Memory(limits.memory)
        self.windows = Windows(clock)
        self.strangers = Strangers(limits, clock)
        self.connections: set[ServerConnection] = set()
        self.running = 0
        self.closing = False
        self.failures: list[Exception] = []  # for the log of this side
        self.stats: dict[str, int] = {}
        self._listening: list[asyncio.Server] = []

    def handle(self, pattern: str, handler: Handler) -> None:
        """The handler of requests: a value, an awaitable of one, or an async generator of several."""
        self.handlers[pattern] = handler

    def on(self, pattern: str, listener: Handler) -> None:
        """A handler of events. A pattern may have several."""
        self.listeners.setdefault(pattern, []).append(listener)

    async def listen(self, host: str, port: int) -> int:
        loop = asyncio.get_running_loop()
        made = await loop.create_server(lambda: ServerConnection(self), host, port)
        self._listening.append(made)
        bound: int = made.sockets[0].getsockname()[1]
        return bound

    async def listen_unix(self, path: str) -> None:
        loop = asyncio.get_running_loop()
        self._listening.append(await loop.create_unix_server(lambda: ServerConnection(self), path))

    async def adopt(self, connected: socket.socket) -> Any:
        """Serve a socket that is connected already."""
        loop = asyncio.get_running_loop()
        return (await loop.connect_accepted_socket(lambda: ServerConnection(self), connected))[1]

    def members(self) -> int:
        return sum(c.session is not None for c in self.connections)

    def gone(self, connection: ServerConnection) -> None:
        self.connections.discard(connection)
        if connection.failure:
            self.failures = [*self.failures[-99:], connection.failure]
        if connection.session:
            connection.session.add_records(self.stats)

    def records(self) -> dict[str, int]:
        """The records of all connections so far, by direction and type."""
        stats = dict(self.stats)
        for each in self.connections:
            if each.session:
                each.session.add_records(stats)
        return stats

    async def close(self, grace: float | None = None) -> None:
        """GOAWAY to all, wait for what is open, then CLOSE at the drain deadline (R5.28)."""
        self.closing = True
        handshake.own_instances.discard(self.instance_id)
        for made in self._listening:
            made.close()
        for each in list(self.connections):
            if each.session:
                each.session.drain(GOING_AWAY)
                each.wake()
        wait = self.limits.drain if grace is None else grace
        if self.connections:
            await asyncio.wait([c.over for c in self.connections], timeout=wait)
        for each in list(self.connections):
            each.cut()
        if self.connections:
            await asyncio.wait([c.over for c in self.connections], timeout=self.limits.close)
        for each in list(self.connections):
            each.fail(Failure("the server has closed"))
