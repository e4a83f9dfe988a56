"""Putting the fragments of one direction together (§6.4)."""

from __future__ import annotations

from .errors import Violation
from .frame import ERROR, FIRST, NEXT, Frame
from .limits import Clock

REFUSED = b""  # stands for a complete message that was dropped for want of memory; none is empty


class Memory:
    """The bound on incomplete messages over all connections of a process (R6.29)."""

    def __init__(self, most: int) -> None:
        self.most, self.used = most, 0


class Partial:
    def __init__(self, kind: int, total: int) -> None:
        self.kind, self.total = kind, total
        self.data = bytearray()  # grows with what arrives, never with what was announced
        self.received = 0
        self.kept = 0  # what is booked in the process's memory
        self.refused = False
        self.touched = 0.0


class Assembly:
    """The incomplete messages that are read on one connection, at most one for each stream."""

    def __init__(self, max_message: int, max_incomplete: int, memory: Memory, clock: Clock) -> None:
        self._max_message, self._max_incomplete = max_message, max_incomplete
        self._memory, self._clock = memory, clock
        self.partials: dict[int, Partial] = {}
        self.totals = 0

    def take(self, f: Frame) -> bytes | None:
        """A frame with bytes, on an open stream: the message if it is complete, REFUSED, or None."""
        partial = self.partials.get(f.stream)
        if partial and partial.kind == NEXT and f.kind == ERROR:
            self.drop(f.stream)  # the first frame of an ERROR drops an incomplete NEXT
            partial = None
        if partial and partial.kind != f.kind:
            raise Violation("R6.9 another kind than the incomplete message")
        if f.flags & FIRST:
            if partial:
                raise Violation("R6.26 FIRST while a message is incomplete")
            partial = self._begin(f)
        elif partial is None:
            if f.more:
                raise Violation("R6.27 MORE without FIRST")
            return f.piece
        return self._add(partial, f)

    def _begin(self, f: Frame) -> Partial:
        if f.total > self._max_message:
            raise Violation("R6.11 total above max message bytes")
        if self.partials and self.totals + f.total > self._max_incomplete:
            raise Violation("R6.19 totals above max incomplete bytes")
        partial = self.partials[f.stream] = Partial(f.kind, f.total)
        self.totals += f.total
        return partial

    def _add(self, partial: Partial, f: Frame) -> bytes | None:
        partial.received += len(f.piece)
        partial.touched = self._clock()
        if partial.received > partial.total or (partial.received == partial.total) == f.more:
            raise Violation("R6.28 pieces do not make up the total")
        if f.more and not partial.refused and self._memory.used + len(f.piece) > self._memory.most:
            self._refuse(partial)
        if partial.refused:
            # Eight bytes are kept: an event is refused only when its sequence was read (§6.7).
            partial.data += f.piece[: max(0, 8 - len(partial.data))]
        else:
            partial.data += f.piece
            partial.kept += len(f.piece)
            self._memory.used += len(f.piece)
        if f.more:
            return None
        self.drop(f.stream)
        return REFUSED if partial.refused else bytes(partial.data)

    def _refuse(self, partial: Partial) -> None:
        partial.refused = True
        del partial.data[8:]
        self._memory.used -= partial.kept
        partial.kept = 0

    def drop(self, stream: int) -> None:
        """The message is complete, or its stream has ended: its total counts no longer."""
        partial = self.partials.pop(stream, None)
        if partial:
            self.totals -= partial.total
            self._memory.used -= partial.kept

    def clear(self) -> None:
        for stream in list(self.partials):
            self.drop(stream)

    def overdue(self, within: float) -> bool:
        """An incomplete message has had no new fragment for too long (R6.12)."""
        limit = self._clock() - within
        return any(partial.touched <= limit for partial in self.partials.values())
