"""What waits to be sealed as DATA, and in which order it goes (§5.3, §5.10, §6.4)."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .frame import BODY_MOST, WHOLE_MOST, cut
from .limits import BULK, INCOMPLETE_MOST

SMALL_RECORD = BULK + 8  # a record of small frames is closed here, so that the peer starts early
SMALL_FRAMES = 64
PASS_MOST = 7  # records of small frames while bulk may go; the eighth is bulk's (R5.35)


@dataclass(eq=False)
class Message:
    kind: int
    payload: bytes = b""
    last: bool = False
    at: int = 0  # sealed so far

    @property
    def bulk(self) -> bool:
        return len(self.payload) > BULK

    @property
    def fragmented(self) -> bool:
        return len(self.payload) > WHOLE_MOST


@dataclass(eq=False)
class Lane:
    """The messages of one stream, in order. `stream` is 0 until a client gave it its id (§6.5)."""

    stream: int = 0
    queue: deque[Message] = field(default_factory=deque)
    waiting: int = 0


class Outbox:
    """`begin` is called before the first frame of a lane without an id, `sealed` after each whole message."""

    def __init__(
        self, max_incomplete: int, begin: Callable[[Lane], None], sealed: Callable[[Lane, Message], None]
    ) -> None:
        self._max_incomplete, self._begin, self._sealed = max_incomplete, begin, sealed
        self._small: OrderedDict[Lane, None] = OrderedDict()
        self._bulk: OrderedDict[Lane, None] = OrderedDict()
        self._incomplete: dict[Lane, int] = {}  # totals from sealing FIRST to the end (R6.18)
        self._passed = 0
        self.waiting = 0

    @property
    def empty(self) -> bool:
        return not self._small and not self._bulk

    def put(self, lane: Lane, message: Message) -> None:
        lane.queue.append(message)
        lane.waiting += len(message.payload)
        self.waiting += len(message.payload)
        if len(lane.queue) == 1:
            self._line_up(lane)

    def urgent(self, lane: Lane, message: Message) -> None:
        """CANCEL, or an ERROR that drops what is before it on its stream: it waits for nothing there."""
        self.withdraw(lane)
        self.put(lane, message)

    def withdraw(self, lane: Lane) -> None:
        """Forget what waits. Its total stays counted until `end`: the peer counts it until then, too."""
        self._small.pop(lane, None)
        self._bulk.pop(lane, None)
        lane.queue.clear()
        self.waiting -= lane.waiting
        lane.waiting = 0

    def end(self, lane: Lane) -> None:
        """The stream has ended."""
        self.withdraw(lane)
        self._incomplete.pop(lane, None)

    def clear(self) -> None:
        for lane in [*self._small, *self._bulk]:
            self.end(lane)

    def _line_up(self, lane: Lane) -> None:
        (self._bulk if lane.queue[0].bulk else self._small)[lane] = None

    def fill(self, may_bulk: bool) -> bytes:
        """The body of the next DATA record; empty if nothing may go."""
        lane = self._next_bulk() if may_bulk and self._bulk else None
        if lane and (not self._small or self._passed >= PASS_MOST):
            self._passed = 0
            return self._frame(lane, self._bulk, BODY_MOST)
        body, count = b"", 0
        while self._small and count < SMALL_FRAMES:
            first = next(iter(self._small))
            if body and len(body) + 8 + len(first.queue[0].payload) > SMALL_RECORD:
                break
            body += self._frame(first, self._small, BODY_MOST)
            count += 1
        self._passed += 1 if body and lane else 0
        return body

    @property
    def passing(self) -> bool:
        """Small messages are passing bulk."""
        return bool(self._small) and bool(self._bulk)

    def _next_bulk(self) -> Lane | None:
        """The first lane whose turn it is. Messages of several frames begin first come, first served (R6.18)."""
        blocked = False
        for lane in self._bulk:
            head = lane.queue[0]
            if head.at or not head.fragmented:
                return lane
            if not blocked and self._may_begin(lane, len(head.payload)):
                return lane
            blocked = True
        return None

    def _may_begin(self, lane: Lane, total: int) -> bool:
        """Whether it fits in with the others. A total of its own lane is that of a NEXT which it drops."""
        others = [size for other, size in self._incomplete.items() if other is not lane]
        return not others or (sum(others) + total <= self._max_incomplete and len(others) < INCOMPLETE_MOST)

    def _frame(self, lane: Lane, line: OrderedDict[Lane, None], room: int) -> bytes:
        """The next frame of a lane, which then goes to the end of its line: fragments take turns."""
        if lane.stream == 0:
            self._begin(lane)
        message = lane.queue[0]
        frame, end = cut(message.kind, lane.stream, message.payload, message.at, message.last, room - 8)
        if message.fragmented and message.at == 0:
            self._incomplete[lane] = len(message.payload)
        lane.waiting -= end - message.at
        self.waiting -= end - message.at
        message.at = end
        del line[lane]
        if end < len(message.payload):
            line[lane] = None
            return frame
        lane.queue.popleft()
        if message.fragmented:
            self._incomplete.pop(lane, None)
        if lane.queue:
            self._line_up(lane)
        self._sealed(lane, message)
        return frame
