"""Calls that are read as lines of JSON, for tests that make many of them in one process."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, TextIO

from . import message
from .calls import values
from .client import Client
from .data import ABSENT, encode
from .errors import CallError, Failure, RemoteError, TransportError

Show = Callable[[dict[str, Any]], None]
Make = Callable[[dict[str, Any]], Any]


class LineClient:
    """
    Each line is a call: `id`, `do` (send, emit, cancel or records) and what belongs to it. Calls overlap; each
    value, error and end is shown with the id of its call.
    """

    def __init__(self, client: Client, make: Make, show: Show) -> None:
        self._client, self._make, self._show = client, make, show
        self._tasks: dict[Any, asyncio.Task[None]] = {}

    async def run(self, source: TextIO = sys.stdin) -> None:
        """Until the source ends."""
        loop = asyncio.get_running_loop()
        while text := await loop.run_in_executor(None, source.readline):
            self._take(json.loads(text))
        for task in list(self._tasks.values()):
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _take(self, call: dict[str, Any]) -> None:
        if call["do"] == "cancel":
            if task := self._tasks.get(call["id"]):
                task.cancel()
            return
        task = asyncio.get_running_loop().create_task(self._call(call))
        self._tasks[call["id"]] = task
        task.add_done_callback(lambda _: self._tasks.pop(call["id"], None))

    async def _call(self, call: dict[str, Any]) -> None:
        def show(**what: Any) -> None:
            self._show({"id": call["id"], **what})

        try:
            await self._do(call, show)
            show(done=True)
        except RemoteError as why:
            show(error=why.value)
        except TransportError as why:
            show(code=why.code, message=str(why))
        except asyncio.CancelledError:
            show(cancelled=True)
        except (CallError, Failure, OSError) as why:
            show(failure=f"{type(why).__name__}: {why}")

    async def _do(self, call: dict[str, Any], show: Callable[..., None]) -> None:
        client = self._client
        if call["do"] == "records":
            show(value=client.records())
        elif call["do"] == "emit":
            await client.emit(call["pattern"], self._make(call), metadata=call.get("metadata"))
        else:
            async with aclosing(values(client, self._request(call), None)) as answer:
                taken = 0
                async for value in answer:
                    show(value=value)
                    taken += 1
                    if taken == call.get("take"):
                        return  # leaving early sends CANCEL

    def _request(self, call: dict[str, Any]) -> bytes:
        """The timeout is the server's only; with `raw` the data is these bytes, in hexadecimal, whatever they are."""
        timeout, pattern, metadata = call.get("timeout", 0), call["pattern"], call.get("metadata")
        if "raw" in call:
            encoded = message.request(timeout, pattern, ABSENT, metadata)
            return encoded[: -len(encode(ABSENT))] + bytes.fromhex(call["raw"])
        return message.request(timeout, pattern, self._make(call), metadata)
