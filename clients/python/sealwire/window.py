"""Events: the window of a server (§6.7) and the sequences of a client."""

from __future__ import annotations

from .limits import WINDOW_KEPT, WINDOWS_MOST, Clock


class Window:
    """The sequences of one instance key that were handed over."""

    def __init__(self, width: int) -> None:
        self.width, self.top = width, -1
        self._seen: set[int] = set()
        self.connections = 0
        self.used = 0.0

    def knows(self, sequence: int) -> bool:
        """Handed over already, or below the window (R6.22). Nothing is below an empty one."""
        return sequence in self._seen or (self.top >= 0 and sequence <= self.top - self.width)

    def record(self, sequence: int) -> None:
        self._seen.add(sequence)
        self.top = max(self.top, sequence)
        if len(self._seen) > 2 * self.width:
            self._seen = {s for s in self._seen if s > self.top - self.width}


class Windows:
    """All windows of a server object, by the 32 bytes of S (R6.36)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[bytes, Window] = {}

    def enter(self, instance: bytes, width: int) -> Window:
        """A connection of S begins. The window is at least as wide as what was announced to S (R6.37)."""
        window = self._windows.setdefault(instance, Window(width))
        window.width = max(window.width, width)
        window.connections += 1
        return window

    def leave(self, instance: bytes) -> None:
        """A connection of S has ended. Windows that have a connection are never dropped."""
        window = self._windows.pop(instance)
        window.connections -= 1
        window.used = self._clock()
        self._windows[instance] = window  # to the end: the dict is in order of the last use
        idle = [s for s, w in self._windows.items() if w.connections == 0]
        limit = self._clock() - WINDOW_KEPT
        for at, s in enumerate(idle):
            if self._windows[s].used < limit or len(idle) - at > WINDOWS_MOST:
                del self._windows[s]


class Sequences:
    """The event sequences of one client object at one server object, over all connections (§6.7)."""

    def __init__(self, in_flight: int) -> None:
        self.smallest = in_flight  # N: the smallest number in flight that this server announced
        self._next = 0
        self._open: set[int] = set()
        self._reserved = 0

    def reserve(self) -> bool:
        """Whether one more event may begin: never more than N - 1 above the oldest open one (R6.23)."""
        oldest = min(self._open, default=self._next)
        if self._next + self._reserved - oldest > self.smallest - 1:
            return False
        self._reserved += 1
        return True

    def release(self) -> None:
        self._reserved -= 1

    def begin(self) -> int:
        """A sequence is used once (R6.21). It is given when the event's first frame is sealed."""
        self._reserved -= 1
        sequence, self._next = self._next, self._next + 1
        self._open.add(sequence)
        return sequence

    def settle(self, sequence: int) -> None:
        """Acknowledged or given up."""
        self._open.discard(sequence)
