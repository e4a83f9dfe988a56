"""Running the handlers of one connection and answering for them (§6.5 to §6.8)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .answers import Answers, log
from .connection import Connection
from .data import decode
from .errors import NO_HANDLER, BadContent, RpcError
from .frame import ACK, COMPLETE, EVENT
from .limits import SAFE
from .message import parse_head
from .server_streams import ServerStream, ServerStreams

if TYPE_CHECKING:
    from .server import Server

Handler = Callable[["Incoming"], Any]


@dataclass(frozen=True)
class Incoming:
    """What a handler gets."""

    pattern: str
    data: Any
    metadata: dict[str, Any] | None
    client: bytes  # the instance key S
    key_id: bytes


class Dispatch:
    def __init__(self, server: Server, home: Connection, session: ServerStreams, client: bytes, key_id: bytes) -> None:
        self._server, self._home, self._session = server, home, session
        self._client, self._key_id = client, key_id
        self._window = server.windows.enter(client, server.limits.max_in_flight)
        self._answers = Answers(home, session)
        self._running = 0
        self._tasks: set[asyncio.Task[None]] = set()  # of requests; events run on when the connection ends

    # A StreamOwner.
    def request(self, stream: ServerStream, message: bytes) -> None:
        try:
            incoming = self._read(message, 4)
        except BadContent as bad:
            return self._answers.fail(stream, bad.code)
        handler = self._server.handlers.get(incoming.pattern)
        if not self._server.allow(self._key_id, incoming.pattern):
            self._answers.fail(stream, "ERR_FORBIDDEN")
        elif handler is None:
            self._answers.error(stream, NO_HANDLER)
        elif not self._room(1):
            self._answers.fail(stream, "ERR_OVERLOADED")
        else:
            stream.task = self._start(self._run(stream, handler, incoming), stream)

    def event(self, stream: ServerStream, message: bytes) -> None:
        """In the order of R6.38: sequence, window, everything else, and only then the handlers."""
        if not self._ask(stream, message):
            return
        try:
            incoming = self._read(message, 8)
        except BadContent as bad:
            return self._answers.fail(stream, bad.code)
        listeners = self._server.listeners.get(incoming.pattern, [])
        if not self._server.allow(self._key_id, incoming.pattern):
            self._answers.fail(stream, "ERR_FORBIDDEN")
        elif not self._room(len(listeners)):
            self._answers.fail(stream, "ERR_OVERLOADED")
        else:
            self._window.record(int.from_bytes(message[:8], "big"))
            for listener in listeners:
                self._start(self._listen(listener, incoming), None)
            self._session.answer(stream, ACK)

    def _ask(self, stream: ServerStream, head: bytes) -> bool:
        """Whether an event is new. What was handed over is acknowledged, whatever else is wrong."""
        sequence = int.from_bytes(head[:8], "big")
        if len(head) < 8 or sequence >= SAFE:
            self._answers.fail(stream, "ERR_MESSAGE_MALFORMED")
        elif self._window.knows(sequence):
            self._session.answer(stream, ACK)
        else:
            return True
        return False

    def no_memory(self, stream: ServerStream, head: bytes) -> None:
        """The message is refused; an event not before its sequence was read and the window asked (R6.30)."""
        if stream.kind != EVENT or (len(head) >= 8 and self._ask(stream, head)):
            self._answers.fail(stream, "ERR_OVERLOADED")

    def timeout(self, stream: ServerStream, ms: int) -> None:
        if ms:
            left = ms / 1000 - (self._session.clock() - stream.began)  # it counts from the first frame (R6.20)
            stream.timer = self._home.loop.call_later(max(0.0, left), self._timed_out, stream)

    def _timed_out(self, stream: ServerStream) -> None:
        self._answers.fail(stream, "ERR_REQUEST_TIMEOUT", drop=True)
        self.cancelled(stream)

    def cancelled(self, stream: ServerStream) -> None:
        """End the handler of a request. It keeps its place until it has ended."""
        if stream.timer:
            stream.timer.cancel()
        if stream.task:
            stream.task.cancel()

    # Running.
    def _read(self, message: bytes, at: int) -> Incoming:
        pattern, metadata, data = parse_head(message, at)
        return Incoming(pattern, decode(data), metadata, self._client, self._key_id)

    def _room(self, places: int) -> bool:
        server = self._server
        own = self._running + places <= 2 * server.limits.max_in_flight
        return own and server.running + places <= server.limits.running_total

    def _start(self, work: Any, stream: ServerStream | None) -> asyncio.Task[None]:
        self._running += 1
        self._server.running += 1
        task: asyncio.Task[None] = self._home.loop.create_task(work)
        if stream:
            self._tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._running -= 1
            self._server.running -= 1
            self._tasks.discard(task)
            if stream and stream.timer:
                stream.timer.cancel()

        task.add_done_callback(ended)
        return task

    async def _run(self, stream: ServerStream, handler: Handler, incoming: Incoming) -> None:
        try:
            result = handler(incoming)
            if inspect.isasyncgen(result):
                async for value in result:
                    self._answers.value(stream, value, last=False)
                    await self._answers.paced(stream)
                    if stream.answered:
                        return await result.aclose()
                self._session.answer(stream, COMPLETE)
            else:
                self._answers.value(stream, await result if inspect.isawaitable(result) else result, last=True)
        except RpcError as error:
            self._answers.error(stream, error.value)
        except Exception:
            log.exception("a handler failed")
            self._answers.error(stream, {"status": "error", "message": "Internal server error"})
        self._home.wake()

    async def _listen(self, listener: Handler, incoming: Incoming) -> None:
        try:
            result = listener(incoming)
            if inspect.isawaitable(result):
                await result
        except Exception:
            log.exception("a handler of an event failed")

    # The end.
    def cut(self) -> None:
        """The drain deadline of a shutdown: tell every caller (§5.5)."""
        for stream in list(self._session.open.values()):
            partial = self._session.assembly.partials.get(stream.id)
            head = bytes(partial.data) if partial else b""
            if stream.kind == EVENT and (len(head) < 8 or not self._ask(stream, head)):
                continue
            self._answers.fail(stream, "ERR_STREAM_CUT" if stream.task else "ERR_SHUTTING_DOWN", drop=True)

    def stop(self) -> None:
        """The connection has ended: requests are cancelled, events run on."""
        for task in list(self._tasks):
            task.cancel()
        self._server.windows.leave(self._client)
