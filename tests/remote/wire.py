"""A TCP proxy on loopback that can be stopped in the middle of a transfer."""

import contextlib
import socket
import threading
from types import TracebackType


class Wire:
    """Forwards connections to `port` to the port `server` and back, until `hold` stops it after some bytes."""

    def __init__(self, server: int) -> None:
        self.server, self.limit = server, None
        self.held, self.sockets, self.lock = threading.Event(), [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self) -> "Wire":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.listener.close()
        self.release()

    def hold(self, after_bytes: int) -> None:
        """Forwards this many more bytes to the server, then none; sets `held` when it stops."""
        self.held.clear()
        self.limit = after_bytes

    def release(self) -> None:
        """Closes all connections; new ones are forwarded again."""
        self.limit = None
        with self.lock:
            for end in self.sockets:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            self.sockets.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.server))
                with self.lock:
                    self.sockets += [client, server]
                threading.Thread(target=self._forward, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._forward, args=(server, client, False), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, upward: bool) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(1 << 16):
                if upward and not self._may_forward(len(content)):
                    return
                target.sendall(content)
            target.shutdown(socket.SHUT_WR)

    def _may_forward(self, size: int) -> bool:
        with self.lock:
            if self.limit is None:
                return True
            self.limit -= size
            if self.limit < 0:
                self.held.set()
            return self.limit >= 0
