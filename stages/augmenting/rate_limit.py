"""Rate limit of one endpoint."""

import threading
import time


class RateLimit:
    """Spaces requests evenly, and pauses them for as long as the endpoint asks. Safe for several threads."""

    def __init__(self, requests_per_minute: float | None) -> None:
        self._interval_s = 60 / requests_per_minute if requests_per_minute else 0.0
        self._next = 0.0  # on the monotonic clock
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def wait(self) -> bool:
        """Blocks until a request may be sent; False once the limit was stopped."""
        while not self._stopped.is_set():
            with self._lock:
                now = time.monotonic()
                if now >= self._next:
                    self._next = now + self._interval_s
                    return True
                wait_s = self._next - now
            self._stopped.wait(wait_s)
        return False

    def pause(self, seconds: float) -> None:
        """Lets no request through for that long."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)

    def stop(self) -> None:
        """Lets no request through any more; waiting threads return at once."""
        self._stopped.set()
