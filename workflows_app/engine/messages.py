"""The queue between django-q2's processes, without a lock that a killed process could keep."""

from __future__ import annotations

import array
import fcntl
import pickle
import socket
import termios
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.sharedctypes import RawValue
from typing import Any, ClassVar

MAX_MESSAGE_BYTES = 150_000


class MessageQueue:
    """Takes the place of `multiprocessing.Queue` in django-q2. Its reader lock dies with whoever is killed while waiting, and
    then nobody reads again (django-q2 issues 23 and 339). Here each message is one packet that the kernel hands to one reader.
    Messages are our own, signed before they came here, and never leave the host's memory: pickle is safe for them."""

    created: ClassVar[list[MessageQueue]] = []

    def __init__(self, maxsize: int = 0) -> None:
        self._reader, self._writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        MessageQueue.created.append(self)

    def put(self, message: Any) -> None:
        """Blocks while the reader is far behind. Raises ValueError for a message over MAX_MESSAGE_BYTES."""
        packet = pickle.dumps(message)
        if len(packet) > MAX_MESSAGE_BYTES:
            raise ValueError(f"A queue message of {len(packet)} bytes is too large: {MAX_MESSAGE_BYTES} are allowed")
        self._writer.send(packet)

    def get(self) -> Any:
        return pickle.loads(self._reader.recv(MAX_MESSAGE_BYTES))  # noqa: S301  written by put in the same process group

    def qsize(self) -> int:
        """1 while some message waits to be taken, else 0."""
        size = array.array("i", [0])
        fcntl.ioctl(self._reader, termios.FIONREAD, size)
        return int(size[0] > 0)

    def empty(self) -> bool:
        return self.qsize() == 0

    def close(self) -> None:
        """Nothing to flush: a message is with the kernel once `put` returns."""

    def join_thread(self) -> None:
        """There is no thread."""


class UnlockedValue:
    """Takes the place of `multiprocessing.Value` for a worker's timer: one writer at a time, and no lock to die with."""

    def __init__(self, kind: str, value: float) -> None:
        self._cell = RawValue(kind, value)

    @property
    def value(self) -> float:
        return float(self._cell.value)

    @value.setter
    def value(self, value: float) -> None:
        self._cell.value = value

    def get_lock(self) -> AbstractContextManager[None]:
        return nullcontext()


def self_test() -> None:
    """A message goes in whole and comes out whole, and waiting is seen. Raises RuntimeError."""
    queue = MessageQueue()
    MessageQueue.created.remove(queue)
    queue.put({"text": "x" * 1000})
    if queue.empty() or queue.get() != {"text": "x" * 1000} or not queue.empty():
        raise RuntimeError("The message queue does not work on this system")
