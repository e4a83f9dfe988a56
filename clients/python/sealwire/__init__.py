"""The Sealwire channel, version 1: an implementation from its normative text alone."""

from .client import Client
from .client_connection import over, tcp, unix
from .data import ABSENT
from .errors import CallError, ConnectionLost, Failure, RemoteError, RpcError, TransportError, Violation
from .keyfile import Key, KeyRefused, load
from .limits import Limits
from .server import Server

__all__ = [
    "ABSENT", "CallError", "Client", "ConnectionLost", "Failure", "Key", "KeyRefused", "Limits", "RemoteError",
    "RpcError", "Server", "TransportError", "Violation", "load", "over", "tcp", "unix",
]
