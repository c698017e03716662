"""Progress of a long loop, on stderr: a tqdm bar in a terminal, plain lines in a log."""

import sys
import time

LINE_EVERY_S = 30  # without a terminal


class ProgressBar:
    """A tqdm bar; where stderr is no terminal, a line with the time left every `LINE_EVERY_S` seconds instead."""

    def __init__(self, total: int, description: str, unit: str) -> None:
        """`unit`: of `total`; B for bytes."""
        from tqdm import tqdm

        is_bytes = unit == "B"
        self.bar = tqdm(total=total, desc=description, unit=unit, unit_scale=is_bytes, leave=not is_bytes, disable=None)
        self.done, self.total, self.description, self.unit = 0, total, description, unit
        self.started_s = self.printed_s = time.monotonic()

    def update(self, n: int) -> None:
        """Counts `n` more items as done."""
        self.done += n
        self.bar.update(n)
        now = time.monotonic()
        if self.bar.disable and now - self.printed_s >= LINE_EVERY_S:
            left_s = (now - self.started_s) / self.done * max(self.total - self.done, 0)
            done, total, unit = self.done, self.total, self.unit
            if unit == "B":
                done, total, unit = done // 10**6, total // 10**6, "MB"
            print(f"  {self.description} {done}/{total} {unit}; {left_s:.0f} s left", file=sys.stderr, flush=True)
            self.printed_s = now
