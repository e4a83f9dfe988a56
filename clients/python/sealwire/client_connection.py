"""One connection of a client: message 1, CONFIRM, and when it may be used (§4.6, §5.11)."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from . import handshake
from .client_streams import ClientStreams
from .connection import Connection
from .errors import Failure
from .limits import LAST_IDS
from .record import Opener, Sealer

if TYPE_CHECKING:
    from .client import Client

Dial = Callable[[Callable[[], Connection]], Awaitable[Any]]


def tcp(host: str, port: int) -> Dial:
    return lambda factory: asyncio.get_running_loop().create_connection(factory, host, port)


def unix(path: str) -> Dial:
    return lambda factory: asyncio.get_running_loop().create_unix_connection(factory, path)


def over(make: Callable[[], socket.socket]) -> Dial:
    """Over sockets that are connected already, for tests."""
    return lambda factory: asyncio.get_running_loop().create_connection(factory, sock=make())


class ClientConnection(Connection):
    session: ClientStreams | None

    def __init__(self, client: Client, proven: bool) -> None:
        super().__init__(client.limits, client.clock)
        self.client = client
        self.initiator = handshake.Initiator(client.key, client.service, self.announce(0))
        self._proven = proven  # wait for a PONG before the connection is used (R5.36)
        self.ready: asyncio.Future[None] = self.loop.create_future()
        self.renew_at = client.limits.session_age_client * (1 - random.random() / 10)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.write(self.initiator.message1)

    def want(self) -> int:
        return handshake.MESSAGE_2 + 1  # one more, to notice bytes before their state (R4.16)

    def deadline(self) -> float:
        return self.limits.connect

    def handshake(self, data: bytes) -> None:
        made = self.initiator
        if not made.feed(data, self.client.reject_self):
            return
        assert made.peer and made.keys
        sequences = self.client.sequences_of(made.server_id, made.peer.max_in_flight)
        own, limits, clock = self.announce(0), self.limits, self.clock
        sealer, opener = Sealer(made.keys[0], limits, clock), Opener(made.keys[1], limits, clock)
        self.session = ClientStreams(
            sealer, opener, own, made.peer, limits, clock, self.client.memory,
            sequences=sequences, server_id=made.server_id,
        )
        self.session.on_goaway = lambda: self.client.leave(self)
        self.session.confirm(made.confirm(self.client.instance))
        made.keys = None
        if self._proven:
            self.session.ping()
        else:
            self._set_ready()  # what waits is queued now and shares the write of CONFIRM
        self.pump()

    def _set_ready(self) -> None:
        if not self.ready.done():
            self.client.use(self)
            self.ready.set_result(None)

    def on_read(self) -> None:
        assert self.session
        if self.session.close_read:
            self._lose("the server closed the connection")
        elif self.session.goaway_read:
            if not self.ready.done():
                self.ready.set_exception(Failure("the server drains the new connection already"))
        elif self.session.answered:
            self._set_ready()

    def on_tick(self) -> None:
        if self.session and (self.session.age >= self.renew_at or self.session.highest > 2**32 - LAST_IDS):
            self.client.renew(self)

    def _lose(self, why: str) -> None:
        if self.session:
            self.session.lose(why)

    def on_over(self) -> None:
        why = self.failure or ConnectionError("the connection was closed")
        if not self.ready.done():
            self.ready.set_exception(why)
            self.ready.exception()  # whoever dialed may have given up already
        self._lose(str(why))
        self.client.gone(self)
