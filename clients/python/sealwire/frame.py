"""Frames: layout, form and cutting (§6.1)."""

from __future__ import annotations

from typing import NamedTuple

from .errors import Violation

REQUEST, EVENT, NEXT, ERROR, COMPLETE, CANCEL, ACK = range(1, 8)
MORE, LAST, FIRST = 1, 2, 4
FROM_CLIENT = frozenset({REQUEST, EVENT, CANCEL})
FROM_SERVER = frozenset({NEXT, ERROR, COMPLETE, ACK})
EMPTY = frozenset({COMPLETE, CANCEL, ACK})

BODY_MOST = 65502  # the body of the largest DATA record
WHOLE_MOST = BODY_MOST - 8  # 65,494: a message up to this travels in one frame (R6.8)
FIRST_PIECE = WHOLE_MOST - 4


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    total: int  # 0 without FIRST
    piece: bytes

    @property
    def more(self) -> bool:
        return bool(self.flags & MORE)


def _form(kind: int, flags: int, stream: int, payload: bytes) -> Frame:
    """Check what a frame may look like on any stream, also when it is late (R6.2)."""
    if stream == 0:
        raise Violation("R6.2 stream 0")
    if kind in EMPTY:
        if flags or payload:
            raise Violation("R6.2 an empty kind with flags or bytes")
        return Frame(kind, flags, stream, 0, b"")
    if flags not in (0, MORE, FIRST | MORE) and not (flags == LAST and kind == NEXT):
        raise Violation("R6.2 flags")
    if not payload:
        raise Violation("R6.2 length 0")
    if not flags & FIRST:
        return Frame(kind, flags, stream, 0, payload)
    if len(payload) < 5:
        raise Violation("R6.2 FIRST without a piece")
    total, piece = int.from_bytes(payload[:4], "big"), payload[4:]
    if total <= WHOLE_MOST or len(piece) >= total:
        raise Violation("R6.2 total")
    return Frame(kind, flags, stream, total, piece)


def parse(body: bytes, kinds: frozenset[int]) -> list[Frame]:
    """All frames of a DATA record, their form checked before the first is taken (§5.9). `kinds`: of the peer."""
    frames, at = [], 0
    while at < len(body):
        if len(body) - at < 8:
            raise Violation("R6.1 less than a header")
        kind, flags = body[at] & 15, body[at] >> 4
        length = int.from_bytes(body[at + 1 : at + 4], "big")
        stream = int.from_bytes(body[at + 4 : at + 8], "big")
        at += 8 + length
        if at > len(body):
            raise Violation("R6.1 length beyond the record")
        if kind not in kinds:
            raise Violation("R6.2 kind")
        frames.append(_form(kind, flags, stream, body[at - length : at]))
    return frames


def build(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return bytes([flags * 16 + kind]) + len(payload).to_bytes(3, "big") + stream.to_bytes(4, "big") + payload


def cut(kind: int, stream: int, message: bytes, at: int, last: bool, room: int = WHOLE_MOST) -> tuple[bytes, int]:
    """The frame of a message that starts at `at`, and where the next one starts."""
    final = LAST if last else 0
    if len(message) <= WHOLE_MOST:
        return build(kind, final, stream, message), len(message)
    if at == 0:
        end = room - 4
        return build(kind, FIRST | MORE, stream, len(message).to_bytes(4, "big") + message[:end]), end
    end = min(at + room, len(message))
    return build(kind, final if end == len(message) else MORE, stream, message[at:end]), end
