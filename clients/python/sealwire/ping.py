"""PING and PONG, in both roles (§5.6)."""

from __future__ import annotations

import os

from .errors import Failure, Violation
from .limits import Clock


class Ping:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._token: bytes | None = None  # of our PING that is not answered
        self._sealed: float | None = None
        self._asked = clock()
        self.pong: bytes | None = None  # what we have to answer

    @property
    def answered(self) -> bool:
        return self._token is None

    def start(self) -> None:
        """The first PING goes one interval after the start of the session."""
        self._asked = self._clock()

    def ask(self) -> bytes:
        """The token of a new PING; empty if one of ours is unanswered."""
        self._asked = self._clock()
        if self._token is not None:
            return b""
        self._token = os.urandom(8)
        return self._token

    def seal(self) -> None:
        """Our PING was sealed; its 60 s run from here."""
        self._sealed = self._clock()

    def read(self, token: bytes) -> None:
        if self.pong is not None:
            raise Violation("R5.13 a second PING before the PONG")
        self.pong = token

    def read_pong(self, token: bytes) -> None:
        if token != self._token or self._sealed is None:
            raise Violation("R5.14 a PONG that nobody asked for")
        self._token = self._sealed = None

    def take_pong(self) -> bytes:
        token, self.pong = self.pong, None
        assert token is not None
        return token

    def due(self, every: float, within: float) -> bool:
        """Whether a PING is due. Fails when one of ours was not answered (R5.12)."""
        now = self._clock()
        if self._sealed is not None and now - self._sealed >= within:
            raise Failure("R5.12 no PONG")
        return now - self._asked >= every
