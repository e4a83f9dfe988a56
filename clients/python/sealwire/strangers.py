"""Strangers: the peers of a server whose CONFIRM was not verified yet, and who makes room (§7)."""

from __future__ import annotations

import ipaddress
from typing import Protocol

from .limits import Clock, Limits


class Stranger(Protocol):
    address: str
    verified: bool  # its message 1 was verified

    @property
    def begun(self) -> bool: ...  # it has sent part of message 1

    def evict(self) -> None: ...


def address_of(peer: object) -> str:
    """The address that strangers are counted by: /64 in IPv6. A Unix socket has none and gets ''."""
    if not isinstance(peer, tuple) or not peer:
        return ""
    address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class Strangers:
    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits, self._clock = limits, clock
        self._all: dict[Stranger, None] = {}  # in the order in which they were accepted
        self._replays: set[Stranger] = set()
        self._seen: dict[bytes, float] = {}  # ephemeral keys of verified messages 1

    def __len__(self) -> int:
        return len(self._all)

    def add(self, stranger: Stranger) -> None:
        """A new one: at a bound another one has to make room (R7.1)."""
        same = [s for s in self._all if s.address == stranger.address] if stranger.address else []
        if len(same) >= self._limits.strangers_of_address:
            self._evict(same)
        elif len(self._all) >= self._limits.strangers:
            self._evict(list(self._all))
        self._all[stranger] = None

    def remove(self, stranger: Stranger) -> None:
        self._all.pop(stranger, None)
        self._replays.discard(stranger)

    def saw(self, stranger: Stranger, ephemeral: bytes) -> None:
        """Its message 1 was verified. One whose key was seen before is a replay (R7.2)."""
        now = self._clock()
        while self._seen and (oldest := next(iter(self._seen))) and now - self._seen[oldest] > self._limits.handshake:
            del self._seen[oldest]
        if ephemeral in self._seen:
            self._replays.add(stranger)
        else:
            self._seen[ephemeral] = now

    def _rank(self, stranger: Stranger) -> int:
        if stranger in self._replays:
            return 0
        return 2 if stranger.verified else int(stranger.begun)

    def _evict(self, among: list[Stranger]) -> None:
        lowest = min(among, key=self._rank)  # of equal ones the first, which was accepted first
        self.remove(lowest)
        lowest.evict()
