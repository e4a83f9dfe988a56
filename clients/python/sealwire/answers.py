"""Answering the requests and events of one connection (§6.6)."""

from __future__ import annotations

import logging
from typing import Any

from .connection import Connection
from .data import Unserializable, encode
from .errors import as_transport_error, transport_error
from .frame import ERROR, NEXT
from .server_streams import ServerStream, ServerStreams

log = logging.getLogger("sealwire")
AHEAD, AHEAD_VALUES = 262_144, 256  # what of one stream may wait before its source is pulled again


class Answers:
    def __init__(self, home: Connection, session: ServerStreams) -> None:
        self._home, self._session, self._limits = home, session, home.limits

    async def paced(self, stream: ServerStream) -> None:
        """A source is not pulled while too much of it, or of the connection, waits (§7)."""
        self._home.wake()
        while not self._home.over.done() and (
            stream.lane.waiting > AHEAD or len(stream.lane.queue) > AHEAD_VALUES
            or self._session.outbox.waiting > self._limits.waiting
        ):
            await self._home.pumped()

    def value(self, stream: ServerStream, value: Any, last: bool) -> None:
        try:
            data = encode(value)
        except Unserializable as why:
            log.error("an answer cannot be serialized: %s", why)
            return self.fail(stream, "ERR_MESSAGE_UNSERIALIZABLE")
        waiting = self._session.outbox.waiting
        if len(data) > self._session.peer.max_message:
            self.fail(stream, "ERR_MESSAGE_TOO_LARGE")
        elif waiting and waiting + len(data) > self._limits.waiting:
            self.fail(stream, "ERR_ANSWER_OVERFLOW", drop=True)
        else:
            self._session.answer(stream, NEXT, data, last)

    def error(self, stream: ServerStream, value: Any) -> None:
        """An error of the application; never in the exact shape of one of the transport (R6.34)."""
        if as_transport_error(value):
            value = {**value, "application": True}
        try:
            data = encode(value)
        except Unserializable:
            return self.fail(stream, "ERR_MESSAGE_UNSERIALIZABLE")
        if len(data) > self._session.peer.max_message:
            return self.fail(stream, "ERR_MESSAGE_TOO_LARGE")
        self._session.answer(stream, ERROR, data)

    def fail(self, stream: ServerStream, code: str, drop: bool = False) -> None:
        self._session.answer(stream, ERROR, encode(transport_error(code)), drop=drop)
        self._home.wake()
