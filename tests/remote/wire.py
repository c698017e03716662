"""A TCP connection on loopback that can be held still in the middle of what it carries."""

import contextlib
import socket
import threading
from types import TracebackType


class Wire:
    """Listens on `port` and carries everything to `server` and back, until `hold` stops it after some bytes."""

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
        """Lets so many more bytes go to the server, then none; `held` is set when that is reached."""
        self.held.clear()
        self.limit = after_bytes

    def release(self) -> None:
        """Closes what is connected; new connections are carried again."""
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
                threading.Thread(target=self._carry, args=(client, server, True), daemon=True).start()
                threading.Thread(target=self._carry, args=(server, client, False), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, upward: bool) -> None:
        with contextlib.suppress(OSError):
            while content := source.recv(1 << 16):
                if upward and not self._may(len(content)):
                    return
                target.sendall(content)
            target.shutdown(socket.SHUT_WR)

    def _may(self, size: int) -> bool:
        with self.lock:
            if self.limit is None:
                return True
            self.limit -= size
            if self.limit < 0:
                self.held.set()
            return self.limit >= 0
