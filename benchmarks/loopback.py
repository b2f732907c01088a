"""A web server on loopback that answers at once and counts how many requests it serves at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

ANSWER = b'{"ok": true}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Server:
    """Answers every request after `seconds`; `most` is how many there were at once, `count` how many in all."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.now = self.most = self.count = self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: request after request, none of which has a body."""
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await self._answer(writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        self.now, self.count = self.now + 1, self.count + 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.seconds)
        self.now -= 1
        writer.write(HEAD % len(ANSWER) + ANSWER)
        await writer.drain()

    async def serve(self, is_ready: threading.Event) -> None:
        listening = await asyncio.start_server(self.talk, "127.0.0.1", 0, backlog=1024)
        self.port = listening.sockets[0].getsockname()[1]
        self.loop, self.is_over = asyncio.get_running_loop(), asyncio.Event()
        is_ready.set()
        await self.is_over.wait()


@contextmanager
def serving(*, seconds: float = 0.0) -> Iterator[Server]:
    """A server in a thread of this process, until the block ends."""
    server, is_ready = Server(seconds), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(is_ready)), daemon=True)
    thread.start()
    is_ready.wait(5)
    try:
        yield server
    finally:
        server.loop.call_soon_threadsafe(server.is_over.set)
        thread.join(5)
