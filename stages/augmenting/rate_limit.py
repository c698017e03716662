"""When the next request may go to an endpoint."""

import threading
import time


class Pace:
    """Requests at equal distances, and later where the endpoint asks for it."""

    def __init__(self, per_minute: float | None) -> None:
        self._gap_s = 60 / per_minute if per_minute else 0.0
        self._next = 0.0  # on the monotonic clock
        self._lock = threading.Lock()
        self._over = threading.Event()

    def turn(self) -> bool:
        """Waits for the next turn; False where there will be none."""
        while not self._over.is_set():
            with self._lock:
                now = time.monotonic()
                if now >= self._next:
                    self._next = now + self._gap_s
                    return True
                wait_s = self._next - now
            self._over.wait(wait_s)
        return False

    def hold(self, seconds: float) -> None:
        """No turn for so long."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def stop(self) -> None:
        self._over.set()
