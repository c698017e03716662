"""Progress of a long loop: a tqdm bar in a terminal, plain lines in a log."""

import time

LINE_EVERY_S = 30  # without a terminal


class ProgressBar:
    """A tqdm bar; where stderr is no terminal, a line with the time left every `LINE_EVERY_S` seconds instead."""

    def __init__(self, total: int, description: str, unit: str) -> None:
        from tqdm import tqdm

        self.bar = tqdm(total=total, desc=description, unit=unit, disable=None)
        self.done, self.total, self.description, self.unit = 0, total, description, unit
        self.started_s = self.printed_s = time.monotonic()

    def update(self, n: int) -> None:
        """Counts `n` more items as done."""
        self.done += n
        self.bar.update(n)
        now = time.monotonic()
        if self.bar.disable and now - self.printed_s >= LINE_EVERY_S:
            left_s = (now - self.started_s) / self.done * (self.total - self.done)
            print(f"  {self.description} {self.done}/{self.total} {self.unit}; {left_s:.0f} s left", flush=True)
            self.printed_s = now
