"""Data: the encodings 00 to 04 (§6.3)."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from .errors import BadContent

JSON, BYTES, ABSENT_CODE, PATCHED, TEXT = range(5)
LONG_TEXT = 1024  # from here on a text travels as it is (R6.25)


class _Absent:
    """The absent value, `undefined` in JavaScript (encoding 02). Not the same as None, which is null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


class Unserializable(ValueError):
    """The value cannot be encoded."""


def _utf8(text: str) -> bytes | None:
    """The bytes of a well-formed text; None if it has a lone surrogate."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return None


def _dumps(value: Any) -> bytes:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        # A lone surrogate has no UTF-8, but its escape is well-formed JSON.
        return _utf8(text) or json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")
    except (TypeError, ValueError, RecursionError) as why:
        raise Unserializable(str(why)) from None


def encode(value: Any) -> bytes:
    if value is ABSENT:
        return bytes([ABSENT_CODE])
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes([BYTES]) + bytes(value)
    if isinstance(value, str) and len(value) * 4 >= LONG_TEXT:
        raw = _utf8(value)
        if raw is not None and len(raw) >= LONG_TEXT:
            return bytes([TEXT]) + raw
    if type(value) is dict and all(type(key) is str for key in value):
        patched = _patched(value)
        if patched is not None:
            return patched
    return bytes([JSON]) + _dumps(value)


def _patched(value: dict[str, Any]) -> bytes | None:
    """Encoding 03 for an object with one long text; None if it has none that fits (R6.25)."""
    for key, text in value.items():
        if not isinstance(text, str) or len(text) * 4 < LONG_TEXT or key == "__proto__":
            continue
        name, raw = _utf8(key), _utf8(text)
        if name is None or raw is None or len(raw) < LONG_TEXT or len(name) > 65535:
            continue
        rest = _dumps({**value, key: 0})
        return b"".join(
            (bytes([PATCHED]), len(name).to_bytes(2, "big"), name, len(rest).to_bytes(4, "big"), rest, raw)
        )
    return None


def text(raw: bytes) -> str:
    """UTF-8 of RFC 3629; Python's strict decoder refuses surrogates and overlong forms, and keeps a BOM."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadContent("UTF-8 is not well-formed") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | float:
    """Python refuses to parse very long integers; as JSON they are numbers like any other."""
    return int(digits) if len(digits) <= 4000 else float(digits)


def parse_json(raw: bytes) -> Any:
    try:
        return json.loads(text(raw), parse_constant=_no_constant, parse_int=_integer)
    except RecursionError:
        raise BadContent("nested too deep", "ERR_MESSAGE_TOO_COMPLEX") from None
    except ValueError:
        raise BadContent("JSON is not well-formed") from None


def decode(data: bytes) -> Any:
    if not data:
        raise BadContent("no encoding")
    encoding, raw = data[0], data[1:]
    if encoding == JSON:
        return parse_json(raw)
    if encoding == BYTES:
        return raw
    if encoding == TEXT:
        return text(raw)
    if encoding == ABSENT_CODE:
        if raw:
            raise BadContent("bytes after encoding 02")
        return ABSENT
    if encoding == PATCHED:
        return _decode_patched(raw)
    raise BadContent("unknown encoding")


def _decode_patched(raw: bytes) -> Any:
    """All is checked on json before the text is put in (§6.3)."""
    name, at = field(raw, 0, 2)
    rest, at = field(raw, at, 4)
    key, value = text(name), parse_json(rest)
    if not isinstance(value, dict) or key not in value or key == "__proto__":
        raise BadContent("encoding 03 without its member")
    value[key] = text(raw[at:])
    return value


def field(raw: bytes, at: int, width: int) -> tuple[bytes, int]:
    """A byte string with its length before it, and where the next one starts."""
    start = at + width
    end = start + int.from_bytes(raw[at:start], "big")
    if len(raw) < start or len(raw) < end:
        raise BadContent("too short for its fields")
    return raw[start:end], end
