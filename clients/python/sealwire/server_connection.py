"""One connection of a server: a stranger until its CONFIRM was verified (§4.5, §4.8)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from . import handshake
from .connection import Connection
from .dispatch import Dispatch
from .errors import Failure
from .record import Opener, Sealer
from .server_streams import ServerStreams
from .session import GOING_AWAY, LIMIT
from .strangers import address_of

if TYPE_CHECKING:
    from .server import Server

CONFIRM_HEAD = handshake.CONFIRM_LENGTH.to_bytes(2, "big")
CONFIRM_RECORD = 2 + handshake.CONFIRM_LENGTH


class ServerConnection(Connection):
    session: ServerStreams | None

    def __init__(self, server: Server) -> None:
        super().__init__(server.limits, server.clock)
        self.server = server
        self.address = ""
        self.own = self.announce(server.limits.max_in_flight)
        self.responder = handshake.Responder(server.keyring, server.service, server.instance_id, self.own)
        self.verified = False  # message 1
        self.dispatch: Dispatch | None = None
        self._record = bytearray()
        self._opener: Opener | None = None

    @property
    def begun(self) -> bool:
        return self.responder.begun

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.address = address_of(transport.get_extra_info("peername"))
        self.server.connections.add(self)
        self.server.strangers.add(self)

    def evict(self) -> None:
        self.fail(Failure("R7.1 evicted"))

    def want(self) -> int:
        """Message 1 and one byte more (R4.10); then CONFIRM and nothing behind it (R4.13)."""
        return CONFIRM_RECORD - len(self._record) if self.verified else handshake.MESSAGE_1 + 1

    def deadline(self) -> float:
        return self.limits.handshake  # absolute, from accept to the verified CONFIRM (R4.14)

    def handshake(self, data: bytes) -> None:
        if self.verified:
            self._confirm(data)
            return
        message2 = self.responder.feed(data)
        if message2 is None:
            return
        assert self.responder.keys
        self._opener = Opener(self.responder.keys[0], self.limits, self.clock)
        self.server.strangers.saw(self, self.responder.client_ephemeral)
        self.verified = True
        self.write(message2)

    def _confirm(self, data: bytes) -> None:
        self._record += data
        if self._record[:2] != CONFIRM_HEAD[: len(self._record)]:
            raise Failure("R4.12 the first record is not CONFIRM")
        if len(self._record) < CONFIRM_RECORD:
            return
        made, opener = self.responder, self._opener
        assert opener and made.keys
        record = opener.next(self._record)
        assert record
        instance, peer = made.confirm(record[0], self.server.reject_self)
        sealer = Sealer(made.keys[1], self.limits, self.clock)
        made.keys = None
        session = ServerStreams(
            sealer, opener, self.own, peer, self.limits, self.clock, self.server.memory
        )
        session.start()
        self.dispatch = session.owner = Dispatch(self.server, self, session, instance, made.key_id)
        self.session = session
        self.server.strangers.remove(self)
        if self.server.members() > self.limits.connections:
            session.close(LIMIT)  # only now, after the whole of CONFIRM was verified (R4.30)
        elif self.server.closing:
            session.drain(GOING_AWAY)

    def on_failure(self) -> None:
        if not self.verified and self.connected:
            self.transport.write(handshake.ALERT)  # every failure looks the same (R4.17)

    def on_read(self) -> None:
        if self.session and self.session.close_read and self.dispatch:
            self._stop()

    def on_tick(self) -> None:
        if self.session and self.session.age >= self.limits.session_age_server:
            self.session.drain(GOING_AWAY)

    def _stop(self) -> None:
        if self.dispatch:
            self.dispatch.stop()
            self.dispatch = None

    def on_over(self) -> None:
        self._stop()
        self.server.strangers.remove(self)
        self.server.gone(self)

    def cut(self) -> None:
        """The drain deadline is over: answers, then CLOSE in any case (§5.5)."""
        if self.session is None:
            return self.fail(Failure("the server shuts down"))
        if self.dispatch:
            self.dispatch.cut()
        self.pump()
        self.session.close(GOING_AWAY)
        self.pump()
