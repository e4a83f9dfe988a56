"""Sessions without sockets: a fake clock, a recording owner, and a peer that sends whatever it is told."""

import os
from contextlib import contextmanager
from dataclasses import replace

from sealwire.assembly import Memory
from sealwire.errors import Failure
from sealwire.frame import EVENT, REQUEST
from sealwire.handshake import Announcement
from sealwire.keyfile import check
from sealwire.limits import Limits
from sealwire.record import Opener, Sealer
from sealwire.client_streams import Call, ClientStreams
from sealwire.server_streams import ServerStreams
from sealwire.window import Sequences

KEY = check(bytes(range(7, 39)))


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Owner:
    """A StreamOwner that writes down what it is told."""

    def __init__(self):
        self.requests, self.events, self.cancels, self.refused, self.timeouts = [], [], [], [], []

    def request(self, stream, message):
        self.requests.append((stream, message))

    def event(self, stream, message):
        self.events.append((stream, message))

    def cancelled(self, stream):
        self.cancels.append(stream.id)

    def no_memory(self, stream, head):
        self.refused.append((stream, head))

    def timeout(self, stream, ms):
        self.timeouts.append((stream.id, ms))


def announced(limits, in_flight):
    return Announcement(0, limits.max_message, in_flight, limits.max_incomplete)


class Wire:
    """A client's and a server's session with the same keys; either may be played by `Raw`."""

    def __init__(self, client=Limits(), server=Limits()):
        self.clock = Clock()
        self.keys = os.urandom(32), os.urandom(32)
        self.limits = client, server
        self.announced = announced(client, 0), announced(server, server.max_in_flight)
        self.memory = Memory(client.memory), Memory(server.memory)

    def client(self):
        limits, (up, down), (own, peer) = self.limits[0], self.keys, self.announced
        made = ClientStreams(Sealer(up, limits, self.clock), Opener(down, limits, self.clock), own, peer, limits,
                             self.clock, self.memory[0], sequences=Sequences(peer.max_in_flight), server_id=b"s")
        made.start()
        return made

    def server(self):
        limits, (up, down), (peer, own) = self.limits[1], self.keys, self.announced
        made = ServerStreams(Sealer(down, limits, self.clock), Opener(up, limits, self.clock), own, peer, limits,
                             self.clock, self.memory[1])
        made.owner = Owner()
        made.start()
        return made

    def raw_client(self):
        return Raw(*self.keys, self.clock)

    def raw_server(self):
        return Raw(self.keys[1], self.keys[0], self.clock)


class Raw:
    """A peer without rules: seals what it is given, opens what it gets."""

    def __init__(self, own, other, clock):
        loose = replace(Limits(), key_records_hard=2**60, key_bytes_hard=2**60)
        self.sealer, self.opener, self.buffer = Sealer(own, loose, clock), Opener(other, loose, clock), bytearray()

    def seal(self, *inners):
        return b"".join(self.sealer.seal(inner) for inner in inners)

    def data(self, *frames):
        return self.seal(b"\x01" + b"".join(frames))

    def read(self, data):
        self.buffer += data
        out = []
        while (record := self.opener.next(self.buffer)) is not None:
            out.append(record[0])
        return out


class Result:
    """A call and what became of it."""

    def __init__(self, payload, kind=REQUEST):
        self.got, self.failed = [], None
        self.call = Call(kind, payload, lambda *result: self.got.append(result), self._fail)

    def _fail(self, why):
        self.failed = why


def event(payload=b"\0" * 8 + b"\0\1e\0\0\2"):
    return Result(payload, EVENT)


def everything(session, room=1 << 30):
    out = b""
    while data := session.pump(room):
        out += data
    return out


@contextmanager
def fails(test, start, kind=Failure):
    with test.assertRaises(kind) as caught:
        yield
    test.assertIn(start, str(caught.exception))
