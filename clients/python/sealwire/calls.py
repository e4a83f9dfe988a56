"""One call of a client, from its message to its result (§6.3, §6.6, §6.7)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from .client_streams import Call
from .data import decode
from .errors import (
    REFUSALS, BadContent, CallError, ConnectionLost, RemoteError, TransportError, as_transport_error,
)
from .frame import ACK, COMPLETE, ERROR, EVENT, REQUEST
from .limits import RESEND_WITHIN

if TYPE_CHECKING:
    from typing import Any

    from .client import Client


async def values(client: Client, payload: bytes, timeout: float | None) -> AsyncGenerator[Any, None]:
    """The values of a request's answer. Bad content fails the call, and leaving early sends CANCEL (R6.3)."""
    results: asyncio.Queue[tuple[int, bytes, bool] | CallError] = asyncio.Queue()
    call = Call(REQUEST, payload, lambda *result: results.put_nowait(result), results.put_nowait)
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout if timeout else None
    client.submit(call)
    try:
        while True:
            try:
                async with asyncio.timeout_at(end):
                    result = await results.get()
            except TimeoutError:
                raise CallError("the request timed out") from None
            if isinstance(result, CallError):
                raise result
            kind, data, last = result
            if kind == COMPLETE:
                return
            try:
                value = decode(data)
            except BadContent as bad:
                raise CallError(f"bad content in the answer: {bad}") from None
            if kind == ERROR:
                code = as_transport_error(value) if data[0] == 0 else None
                raise TransportError(code, value["message"]) if code else RemoteError(value)
            yield value
            if last:
                return
    finally:
        client.cancel(call)


async def acknowledged(client: Client, payload: bytes, resend: bool) -> None:
    """Send an event and wait for its ACK."""
    call = Call(EVENT, payload, lambda *_: None, lambda _: None)
    try:
        kind, answer = await _answer(client, call, resend)
    finally:
        client.cancel(call)
        if call.sequence is not None:
            client.sequences[call.server_id].settle(call.sequence)  # acknowledged, or never sent again
    if kind != ACK:
        raise _refusal(answer)


async def _answer(client: Client, call: Call, resend: bool) -> tuple[int, bytes]:
    """The answer to an event. After a lost connection it goes once more, to the same server object (R6.24)."""
    carried = 0.0  # when something was last read on the connection that carried it
    while True:
        result: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        call.deliver = lambda kind, data, _: None if result.done() else result.set_result((kind, data))
        call.fail = lambda why: None if result.done() else result.set_exception(why)
        client.submit(call)
        try:
            return await result
        except ConnectionLost:
            home = client.homes.pop(call, None)
            if call.sequence is None or not resend or client.closed or home is None or home.session is None:
                raise
            carried = home.session.last_read if call.lane.stream else carried
            if client.clock() - carried >= RESEND_WITHIN:  # R6.40
                raise


def _refusal(data: bytes) -> CallError:
    """What an ERROR says about an event: a refusal, or a failure without a code (§6.7)."""
    try:
        value = decode(data)
    except BadContent:
        return CallError("the event failed")
    code = as_transport_error(value) if data[0] == 0 else None
    return TransportError(code, value["message"]) if code in REFUSALS and code else CallError("the event failed")
