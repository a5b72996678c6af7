"""The page of `offby watch --serve` and its events, from the standard library's server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from offby.errors import RunError
from offby.serve.board import Board

PORT = 8642
"""Unless another is asked for; taken ones are passed over."""
_PATIENCE = 15.0  # seconds after which a silent stream says that it lives


def serve(
    board: Board,
    port: int | None = None,
    host: str = "127.0.0.1",
    *,
    every: float = 1.0,
    ready: Callable[[str], None] = print,
) -> None:
    """Serve the page until interrupted, looking at the runs every so many seconds.

    `ready` is told the address. Addresses within the page are relative, so that it works behind a
    proxy. Raises `RunError` for a port that cannot be had.
    """
    with _server(board, port, host) as server:
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        ready(f"http://{host}:{server.server_address[1]}/")
        stop = threading.Event()
        try:
            while not stop.wait(every):
                board.look()
        finally:
            board.close()
            server.shutdown()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


def _server(board: Board, port: int | None, host: str) -> _Server:
    handler, why = partial(_Handler, board), ""
    for number in range(PORT, PORT + 20) if port is None else [port]:
        try:
            return _Server((host, number), handler)
        except (OSError, OverflowError) as error:
            why = f"cannot serve on {host}:{number}: {getattr(error, 'strerror', None) or error}"
    raise RunError(f"{why}; give another port: --serve 9000")


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, board: Board, *what: Any) -> None:
        self.board = board
        super().__init__(*what)

    def do_GET(self) -> None:
        """The page, or the stream of what is new."""
        with suppress(ConnectionError):  # pages are closed when their reader has seen enough
            match self.path.partition("?")[0].rsplit("/", 1)[-1]:
                case "":
                    self._send(self.board.page().encode(), "text/html; charset=utf-8")
                case "events":
                    self._stream()
                case _:
                    self.send_error(404)

    def _send(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        """Server-sent events; a page that comes back names the last that it saw."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Accel-Buffering", "no")  # proxies hold streams back otherwise
        self.end_headers()
        last = self.headers.get("Last-Event-ID", "0")
        number = int(last) if last.isdecimal() else 0
        while not self.board.closed:
            number, news = self.board.since(number, _PATIENCE)
            said = ": alive"
            if news is not None:
                text = json.dumps(news, allow_nan=False, separators=(",", ":"))
                said = f"id: {number}\ndata: {text}"
            self.wfile.write(f"{said}\n\n".encode())
            self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Say nothing of each request."""
