"""The command line for interop tests: serve, send, stream, emit, calls."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import logging
import signal
import sys
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from .client import Client
from .client_connection import tcp, unix
from .data import ABSENT
from .errors import CallError, Failure, RemoteError, TransportError
from .keyfile import KeyRefused, load
from .limits import Limits
from .lines import LineClient
from .samples import add_samples
from .server import Server

# Options that force limits: name, member of Limits, type.
LIMITS = [
    ("max-message", "max_message", int), ("max-in-flight", "max_in_flight", int),
    ("max-incomplete", "max_incomplete", int), ("memory", "memory", int), ("max-waiting", "waiting", int),
    ("key-records", "key_records_soft", int), ("key-bytes", "key_bytes_soft", int),
    ("key-age", "key_age_soft", float), ("session-age", "session_age_client", float),
    ("goaway-age", "session_age_server", float), ("ping", "ping_every", float), ("tick", "tick", float),
    ("drain", "drain", float), ("handshake", "handshake", float),
]


def show(value: Any) -> Any:
    """A value as JSON: bytes and the absent value get a form of their own."""
    if value is ABSENT:
        return {"absent": True}
    if isinstance(value, bytes):
        return {"bytes": len(value), "sha256": hashlib.sha256(value).hexdigest()}
    return value


def line(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=True), flush=True)


async def serve(options: argparse.Namespace, limits: Limits) -> int:
    server = Server(
        [load(path) for path in options.key_file], service=options.service, limits=limits,
        reject_self=options.reject_self, allow=lambda _, pattern: pattern != options.forbid,
    )
    add_samples(server, show)
    if options.unix:
        await server.listen_unix(options.unix)
        line({"unix": options.unix})
    else:
        line({"port": await server.listen(options.host, options.port)})
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.close()
    if options.stats:
        line({"stats": server.stats, "failures": [str(why) for why in server.failures]})
    return 0


def client_of(options: argparse.Namespace, limits: Limits) -> Client:
    host, _, port = options.to.rpartition(":")
    dial = unix(options.to[5:]) if options.to.startswith("unix:") else tcp(host, int(port))
    return Client(
        load(options.key_file[0]), dial, service=options.service, limits=limits, reject_self=options.reject_self
    )


def data_of(call: dict[str, Any]) -> Any:
    return generated(call.get("data"), "data" not in call, call.get("fill"), call.get("fill-bytes"))


async def calls(options: argparse.Namespace, limits: Limits) -> int:
    client = client_of(options, limits)
    await LineClient(client, data_of, lambda what: line({name: show(value) for name, value in what.items()})).run()
    await client.close()
    if options.stats:
        line({"stats": client.stats, "renewals": client.renewals})
    return 0


def given(options: argparse.Namespace) -> Any:
    return generated(
        None if options.data is None else json.loads(options.data), options.absent or options.data is None,
        options.fill, options.fill_bytes,
    )


def generated(data: Any, absent: bool, fill: int | None, fill_bytes: int | None) -> Any:
    """The data of a call: JSON, or made as --fill, --fill-bytes and --absent say."""
    if fill is not None:
        return "é" * fill
    if fill_bytes is not None:
        return bytes(at % 251 for at in range(fill_bytes))
    return ABSENT if absent else data


async def call(options: argparse.Namespace, limits: Limits) -> int:
    client = client_of(options, limits)
    timeout = options.timeout / 1000 if options.timeout else None
    pattern = json.loads(options.pattern) if options.pattern.startswith("{") else options.pattern
    metadata = json.loads(options.metadata) if options.metadata else None
    data = given(options)

    async def once() -> None:
        if options.command == "emit":
            await client.emit(pattern, data, metadata=metadata)
            line({"acknowledged": True})
            return
        taken = 0
        async with aclosing(client.stream(pattern, data, timeout=timeout, metadata=metadata)) as answer:
            async for value in answer:
                line(show(value))
                taken += 1
                if options.command == "stream" and taken == options.take:
                    return  # leaving early sends CANCEL

    status = 0
    try:
        await client.connect()
        for round_ in range(options.repeat):
            await asyncio.gather(*(once() for _ in range(options.parallel)))
            if options.pause and round_ + 1 < options.repeat:
                await asyncio.sleep(options.pause)
    except RemoteError as why:
        line({"error": show(why.value)})
        status = 1
    except TransportError as why:
        line({"code": why.code, "message": str(why)})
        status = 1
    except (CallError, Failure, OSError) as why:
        line({"failure": f"{type(why).__name__}: {why}"})
        status = 2
    await client.close()
    if options.stats:
        line({"stats": client.stats, "renewals": client.renewals})
    return status


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m sealwire", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("serve", "send", "stream", "emit", "calls"):
        sub = commands.add_parser(name)
        sub.add_argument("--key-file", required=True, action="append")
        sub.add_argument("--service", default="default")
        sub.add_argument("--reject-self", action="store_true")
        sub.add_argument("--quiet", action="store_true", help="log nothing")
        sub.add_argument("--stats", action="store_true", help="print the records by type at the end")
        for option, _, kind in LIMITS:
            sub.add_argument("--" + option, type=kind)
        if name == "serve":
            sub.add_argument("--host", default="127.0.0.1")
            sub.add_argument("--port", type=int, default=0)
            sub.add_argument("--forbid", help="a pattern that nobody may call")
            sub.add_argument("--unix", help="a path, instead of host and port")
            continue
        sub.add_argument("to", help="HOST:PORT or unix:PATH")
        if name == "calls":
            continue
        sub.add_argument("pattern", help="a string, or a JSON object")
        sub.add_argument("data", nargs="?", help="JSON; without it the absent value")
        sub.add_argument("--metadata", help="a JSON object")
        sub.add_argument("--timeout", type=int, help="milliseconds")
        sub.add_argument("--fill", type=int, help="send a text of this many é")
        sub.add_argument("--fill-bytes", type=int, help="send this many bytes, i mod 251")
        sub.add_argument("--absent", action="store_true")
        sub.add_argument("--repeat", type=int, default=1, help="so many rounds")
        sub.add_argument("--parallel", type=int, default=1, help="calls of a round")
        sub.add_argument("--pause", type=float, default=0.0, help="seconds between two rounds")
        sub.add_argument("--take", type=int, default=0, help="stream: cancel after so many values")
    return parser


def main() -> int:
    options = arguments().parse_args()
    logging.basicConfig(level=logging.CRITICAL if options.quiet else logging.WARNING, stream=sys.stderr)
    changes = {member: value for option, member, _ in LIMITS
               if (value := getattr(options, option.replace("-", "_"))) is not None}
    try:
        limits = replace(Limits(), **changes)
        run = {"serve": serve, "calls": calls}.get(options.command, call)
        return asyncio.run(run(options, limits))
    except (KeyRefused, ValueError, OSError) as why:
        line({"failure": f"{type(why).__name__}: {why}"})
        return 2


if __name__ == "__main__":
    sys.exit(main())
