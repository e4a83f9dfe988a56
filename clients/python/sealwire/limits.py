"""The limits of §7. The fixed numbers are constants, what can be configured is in `Limits`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

CREDIT_DUE = 131_072  # taken and not reported: CREDIT must be queued (R5.29)
CREDIT_LEAST = 65_536  # below this none may be sealed (R5.30)
WINDOW_LEAST = 262_144  # bulk is never held back below this (R5.34)
BULK = 16_384  # a longer message is bulk (§1.3)
INCOMPLETE_MOST = 16  # messages incomplete at a time at a sender (R6.32)
UPDATE_SPACING = 64  # records under a key before KEY_UPDATE (R5.8), and for one more allowance (R5.9)
UPDATE_BURST = 16  # the allowance at the start and at most (R5.9)
UPDATE_FREE = 1800.0  # an update this long after the one before takes no allowance (R5.9)
UPDATE_MARGIN = 60.0  # of the sender: its update may be read that much earlier after the one before
RESEND_WITHIN = 540.0  # an event is sent again within 9 minutes (R6.40)
WINDOW_KEPT = 600.0  # an event window is kept for 10 minutes after its last use (R6.37)
WINDOWS_MOST = 10_000  # windows without a connection that a server keeps in any case (R6.37)
LAST_IDS = 2**20  # so many stream ids before the end a client renews its session (§6.5)
SAFE = 2**53  # sequences and `taken` stay below it (R5.31, §6.3)

Clock = Callable[[], float]


def boottime() -> float:
    """A clock that goes on while the machine sleeps, so that a key ages then too (R5.27)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class Limits:
    """All defaults are those of §7. Ages and deadlines are in seconds."""

    max_message: int = 8 * 2**20
    max_in_flight: int = 1024
    max_incomplete: int = 64 * 2**20
    key_bytes_soft: int = 2**30
    key_bytes_hard: int = 2**32
    key_records_soft: int = 2**20
    key_records_hard: int = 2**22
    key_age_soft: float = 3600.0
    key_age_hard: float = 7200.0
    session_records: int = 2**48
    session_age_client: float = 3600.0
    session_age_server: float = 4500.0
    session_age_hard: float = 86400.0
    draining_most: int = 4
    memory: int = 256 * 2**20  # incomplete messages of the process (R6.29)
    waiting: int = 64 * 2**20  # bytes that wait to be sealed, of a connection
    queued: int = 65536  # calls of a connection that wait for a slot (§6.5)
    window_cap: int = 4 * 2**20  # the largest credit window (§5.10)
    connect: float = 5.0
    handshake: float = 5.0
    record: float = 30.0
    progress: float = 30.0
    credit: float = 60.0
    ping_every: float = 30.0
    pong_within: float = 60.0
    socket_stuck: float = 10.0
    drain: float = 10.0
    close: float = 2.0
    strangers: int = 1024
    strangers_of_address: int = 64
    connections: int = 65536
    running_total: int = 65536  # maxRunningTotal (R6.17)
    tick: float = 0.5  # how often ages and deadlines are looked at

    def __post_init__(self) -> None:
        if self.max_message < 65536 or self.max_in_flight < 1:
            raise ValueError("max_message is at least 65536 and max_in_flight at least 1 (R4.5)")
