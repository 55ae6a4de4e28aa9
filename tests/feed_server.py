"""A web server on loopback whose answers are written by the test, byte for byte where it must be."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """What came in: the path and the headers, in lower case."""

    path: str
    headers: Mapping[str, str]


@dataclass
class FeedServer:
    """`routes` maps a path to what answers it; `asked` keeps every request; `stopped` ends answers without end."""

    url: str
    routes: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def answer(
        self, path: str, body: bytes = b"", *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer `path` with these bytes, their length stated."""
        named = {"Content-Type": "application/xml", "Content-Length": str(len(body)), **(headers or {})}

        def write(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in named.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(body)

        self.routes[path] = write

    def write(self, path: str, *parts: bytes, every_seconds: float = 0.0, for_ever: bytes = b"") -> None:
        """Answer `path` with raw bytes, head included, then `for_ever` again and again until the test ends."""

        def send(handler: BaseHTTPRequestHandler) -> None:
            try:
                for part in parts:
                    handler.wfile.write(part)
                while for_ever and not self.stopped.wait(every_seconds):
                    handler.wfile.write(for_ever)
            except OSError:
                pass  # The client had enough, which is what these tests are about.

        self.routes[path] = send


@contextmanager
def feed_server() -> Iterator[FeedServer]:
    """A server for one test."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            state.asked.append(Asked(self.path, headers))
            answer = state.routes.get(self.path)
            if answer is None:
                self.send_error(404)
            else:
                answer(self)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state = FeedServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
