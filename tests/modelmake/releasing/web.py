"""A web server on this machine: repositories by git's own HTTP backend, files with ranges; bytes are counted."""

import contextlib
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BLOCK_BYTES = 1 << 16


class Web:
    """The server. It sends no more than `limit` bytes of files, then waits until `go` is set."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.lock = folder, threading.Lock()
        self.git_bytes = self.file_bytes = 0
        self.limit, self.stalled, self.go = float("inf"), threading.Event(), threading.Event()
        web = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                web.answer_git(self) if ".git/" in self.path else web.answer_file(self)

            def do_POST(self) -> None:
                web.answer_git(self)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    @property
    def bytes(self) -> int:
        """Everything that was sent as a body."""
        return self.git_bytes + self.file_bytes

    def answer_file(self, handler: BaseHTTPRequestHandler) -> None:
        path = self.folder / handler.path.lstrip("/")
        if not path.is_file():
            handler.send_response(404)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        size = path.stat().st_size
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
        start, end = (int(found[1]), min(int(found[2] or size), size - 1)) if found else (0, size - 1)
        if found and start >= size:
            handler.send_response(416)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if found else 200)
        handler.send_header("Accept-Ranges", "bytes")
        handler.send_header("Content-Length", str(end - start + 1))
        if found:
            handler.send_header("Content-Range", f"bytes {start}-{end}/{size}")
        handler.end_headers()
        if handler.command == "HEAD":
            return
        with path.open("rb") as file, contextlib.suppress(ConnectionError):
            file.seek(start)
            left = end - start + 1
            while left and (block := file.read(min(BLOCK_BYTES, left))):
                if self.file_bytes >= self.limit:
                    self.stalled.set()
                    self.go.wait()
                handler.wfile.write(block)
                left -= len(block)
                with self.lock:
                    self.file_bytes += len(block)

    def answer_git(self, handler: BaseHTTPRequestHandler) -> None:
        path, _, query = handler.path.partition("?")
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        environment = os.environ | {
            "GIT_PROJECT_ROOT": str(self.folder), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": handler.command, "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding", ""), "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": handler.headers.get("Git-Protocol", ""), "REMOTE_USER": "t", "REMOTE_ADDR": "127.0.0.1",
        }  # fmt: skip
        answer = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=True)
        head, _, content = answer.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        handler.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
        with self.lock:
            self.git_bytes += len(content)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Web]:
    """A server of a folder."""
    web = Web(folder)
    threading.Thread(target=web.server.serve_forever, daemon=True).start()
    try:
        yield web
    finally:
        web.go.set()
        web.server.shutdown()
        web.server.server_close()
