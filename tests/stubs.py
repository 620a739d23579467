"""A stub of Elasticsearch on a real socket: keeps the bytes it was sent, answers what it is told, slowly if need be."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[bytes], Iterator[bytes]]
"""Request head and body → pieces to send; ending the iteration closes the connection if nothing said keep-alive."""


class Stub:
    """What a stub has seen."""

    def __init__(self, port: int, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.requests: list[bytes] = []
        self.closed = threading.Event()
        self.connections = 0


@contextmanager
def stub(answer: Answer, *, keep: bool = True, tls: ssl.SSLContext | None = None) -> Iterator[Stub]:
    """Listen until the block ends. ``keep``: serve further requests on a connection."""
    server = socket.create_server(("127.0.0.1", 0))
    found = Stub(server.getsockname()[1], "http" if tls is None else "https")
    threads: list[threading.Thread] = []
    open_sockets: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            found.connections += 1
            open_sockets.append(connection)
            thread = threading.Thread(target=serve, args=(connection,), daemon=True)
            threads.append(thread)
            thread.start()

    def serve(connection: socket.socket) -> None:
        try:
            connection = connection if tls is None else tls.wrap_socket(connection, server_side=True)
            while True:
                request = _read(connection)
                if not request:
                    break
                found.requests.append(request)
                for piece in answer(request):
                    connection.sendall(piece)
                if not keep:
                    break
        except OSError:
            pass
        finally:
            connection.close()
            found.closed.set()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield found
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        for connection in open_sockets:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in [accepting, *threads]:
            thread.join(5)


def _read(connection: socket.socket) -> bytes:
    """One request, head and body, by Content-Length or chunks."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])
    }
    if b"content-length" in lines:
        while len(body) < int(lines[b"content-length"]):
            body += connection.recv(65_536)
    elif lines.get(b"transfer-encoding") == b"chunked":
        while not body.endswith(b"0\r\n\r\n"):
            body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def whole(status: str, headers: list[str], body: bytes) -> bytes:
    """An answer with its length."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body
