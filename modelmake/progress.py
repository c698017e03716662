"""Progress of a long loop: a bar in a terminal, plain lines in a log."""

import time

EVERY_S = 30  # a line in a log


class Count:
    """How far a long loop is: a bar in a terminal, a line every half minute in a log."""

    def __init__(self, total: int, what: str, unit: str) -> None:
        from tqdm import tqdm

        self.bar = tqdm(total=total, desc=what, unit=unit, disable=None)
        self.done, self.total, self.what, self.unit = 0, total, what, unit
        self.started = self.told = time.monotonic()

    def add(self, n: int) -> None:
        """So many more are done."""
        self.done += n
        self.bar.update(n)
        now = time.monotonic()
        if self.bar.disable and now - self.told >= EVERY_S:
            left_s = (now - self.started) / self.done * (self.total - self.done)
            print(f"  {self.what} {self.done}/{self.total} {self.unit}; {left_s:.0f} s left", flush=True)
            self.told = now
