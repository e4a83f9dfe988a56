"""Patterns, as Nest normalizes them (§6.2)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

# ASCII in the order of the Unicode collation. A letter and its capital are the same at first.
ORDER = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"
DEPTH_MOST, KEYS_MOST = 5, 20


def route(pattern: Any, depth: int = 0) -> str:
    """A string is itself, a number its decimal form, an object has sorted keys and no spaces."""
    if isinstance(pattern, str):
        return pattern
    if pattern is None or isinstance(pattern, bool):
        return {None: "null", True: "true", False: "false"}[pattern]
    if isinstance(pattern, (int, float)):
        return number(float(pattern))
    if isinstance(pattern, list):
        pattern = {str(at): value for at, value in enumerate(pattern)}
    if not isinstance(pattern, dict):
        raise ValueError("a pattern has texts, numbers, true, false, null, lists and objects only")
    if depth > DEPTH_MOST:
        return "[MAX_DEPTH_REACHED]"
    if len(pattern) > KEYS_MOST:
        return "[TOO_MANY_KEYS]"
    members = (f"{quoted(key)}:{member(pattern[key], depth + 1)}" for key in sorted(pattern, key=collation))
    return "{" + ",".join(members) + "}"


def member(value: Any, depth: int) -> str:
    return quoted(value) if isinstance(value, str) else route(value, depth)


def quoted(text: str) -> str:
    """In quotes; only quotes and backslashes are escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def collation(key: str) -> tuple[list[int], list[bool]]:
    """What keys are compared by: all their characters without case, then lower case before upper case."""
    try:
        return [ORDER.index(each.lower()) for each in key], [each.isupper() for each in key]
    except ValueError:
        raise ValueError("a key of a pattern has printable ASCII only: there is no table for other characters here") from None


def number(value: float) -> str:
    """ECMAScript's Number::toString."""
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("a pattern has no NaN and no Infinity")
    text, point = "".join(map(str, digits)), len(digits) + exponent  # 0.text times 10 to the power of point
    if len(text) <= point <= 21:
        text += "0" * (point - len(text))
    elif 0 < point <= 21:
        text = text[:point] + "." + text[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + text
    else:
        text = text[0] + ("." + text[1:] if len(text) > 1 else "") + f"e{point - 1:+d}"
    return ("-" if sign else "") + text
