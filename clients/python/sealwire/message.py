"""The messages of requests and events (§6.2): timeout or sequence, pattern, metadata, data."""

from __future__ import annotations

import json
from typing import Any

from .data import encode, field, parse_json, text
from .errors import BadContent
from .pattern import route


def _head(pattern: Any, metadata: dict[str, Any] | None) -> bytes:
    name = route(pattern).encode("utf-8")
    more = b"" if metadata is None else json.dumps(metadata, ensure_ascii=True, separators=(",", ":")).encode()
    if len(name) > 65535 or len(more) > 65535:
        raise ValueError("pattern and metadata have at most 65535 bytes")
    return len(name).to_bytes(2, "big") + name + len(more).to_bytes(2, "big") + more


def request(timeout_ms: int, pattern: Any, data: Any, metadata: dict[str, Any] | None = None) -> bytes:
    return timeout_ms.to_bytes(4, "big") + _head(pattern, metadata) + encode(data)


def event(sequence: int, pattern: Any, data: Any, metadata: dict[str, Any] | None = None) -> bytes:
    return sequence.to_bytes(8, "big") + _head(pattern, metadata) + encode(data)


def parse_head(message: bytes, at: int) -> tuple[str, dict[str, Any] | None, bytes]:
    """Pattern, metadata and data of a message whose head starts at `at`; BadContent if it is malformed."""
    if len(message) < at:
        raise BadContent("too short for its fields")
    name, at = field(message, at, 2)
    more, at = field(message, at, 2)
    metadata = parse_json(more) if more else None
    if more and not isinstance(metadata, dict):
        raise BadContent("metadata is not an object")
    return text(name), metadata, message[at:]
