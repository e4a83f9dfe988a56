"""What can go wrong: failures of a connection (§5.9), failures of one call (§6.6), bad content (§6.3)."""

from __future__ import annotations

from typing import Any

# The failures of the transport that travel in an ERROR, with their fixed texts (§6.6).
CODES = {
    "ERR_OVERLOADED": "The server is overloaded; the handler did not run",
    "ERR_FORBIDDEN": "This key may not call this pattern",
    "ERR_SHUTTING_DOWN": "The server is shutting down; the handler did not run",
    "ERR_MESSAGE_MALFORMED": "The message is malformed",
    "ERR_MESSAGE_TOO_COMPLEX": "The message has too many JSON values",
    "ERR_REQUEST_TIMEOUT": "The request timed out",
    "ERR_MESSAGE_UNSERIALIZABLE": "The answer cannot be serialized; see the server's log",
    "ERR_MESSAGE_TOO_LARGE": "The answer is larger than the client accepts",
    "ERR_ANSWER_OVERFLOW": "The answer could not be queued: the client reads too slowly",
    "ERR_STREAM_CUT": "The server shut down before the answer was complete",
}
# Those that refuse an event: all but the last two (the last column of the table).
REFUSALS = frozenset(list(CODES)[:8])

NO_HANDLER = "There is no matching message handler defined in the remote service."


class Failure(Exception):
    """Ends the connection for good: no record, no alert and no text goes out (§5.9, R5.24)."""


class Violation(Failure):
    """A failure that a conforming peer cannot cause (§1.3). The first word is the requirement."""


class BadContent(Exception):
    """A message whose content is bad (§6.3). The connection goes on (R6.3)."""

    def __init__(self, why: str, code: str = "ERR_MESSAGE_MALFORMED") -> None:
        super().__init__(why)
        self.code = code


class CallError(Exception):
    """One call failed; other calls are not concerned."""


class RemoteError(CallError):
    """The application on the other side answered with an error; `value` is what it sent."""

    def __init__(self, value: Any) -> None:
        super().__init__(str(value))
        self.value = value


class TransportError(CallError):
    """The other side's transport answered with one of CODES (R6.33)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ConnectionLost(CallError):
    """The connection ended before the answer. `sent` says whether the first frame went out."""

    def __init__(self, why: str, sent: bool = True) -> None:
        super().__init__(why + (" (the message was sent)" if sent else " (the message was not sent)"))
        self.sent = sent


class RpcError(Exception):
    """Raised by a handler: `value` is what the caller shall get as the error."""

    def __init__(self, value: Any) -> None:
        super().__init__(str(value))
        self.value = value


def transport_error(code: str) -> dict[str, str]:
    return {"status": "error", "message": CODES[code], "code": code}


def as_transport_error(value: Any) -> str | None:
    """The code, if a value has exactly the shape of a failure of the transport (R6.33), or None."""
    if not isinstance(value, dict) or set(value) != {"status", "message", "code"}:
        return None
    code = value["code"]
    if value["status"] == "error" and isinstance(value["message"], str) and isinstance(code, str) and code in CODES:
        return code
    return None
