"""The handlers of `serve`, for interop tests."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from typing import Any

from .data import ABSENT
from .dispatch import Incoming
from .errors import RpcError
from .server import Server


def add_samples(server: Server, show: Callable[[Any], Any]) -> None:
    notes: list[Any] = []
    cancels = 0

    async def fail(call: Incoming) -> Any:
        raise RpcError(call.data if call.data is not ABSENT else {"status": "error", "message": "as asked"})

    async def count(call: Incoming) -> AsyncIterator[int]:
        for at in range(int(call.data)):
            yield at

    async def slow(call: Incoming) -> None:
        nonlocal cancels
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancels += 1
            raise

    server.handle("echo", lambda call: call.data)
    server.handle("describe", lambda call: {"pattern": call.pattern, "metadata": call.metadata, "data": show(call.data)})
    server.handle('{"a":1,"b":"x"}', lambda call: call.pattern)
    server.handle("fail", fail)
    server.handle("nan", lambda call: math.nan)
    server.handle("count", count)
    server.handle("bytes", lambda call: bytes(at % 251 for at in range(int(call.data))))
    server.handle("slow", slow)
    server.handle("cancels", lambda call: cancels)
    server.handle("records", lambda call: server.records())
    server.on("note", lambda call: notes.append(show(call.data)))
    server.handle("notes", lambda call: notes)
