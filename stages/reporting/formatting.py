"""Numbers as text: counts with units, bytes, losses, differences."""

from typing import Any


def count(n: float, unit: str = "") -> str:
    """`5,300 rows`, `1 row`."""
    return f"{n:,} {unit.removesuffix('s') if n == 1 else unit}".strip()


def size(n: int) -> str:
    """Bytes in the largest decimal unit that they reach, three digits: `2.23 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if n >= factor:
            return f"{n / factor:.3g} {unit}"
    return f"{n} B"


def fixed(value: float) -> str:
    """Three decimals, with a minus sign rather than a hyphen."""
    return f"{value:z.3f}".replace("-", "−")


def signed(value: float) -> str:
    """Three decimals with a sign; `0.000` has none."""
    text = f"{value:+z.3f}"
    return "0.000" if text == "+0.000" else text.replace("-", "−")


def loss(value: float | None) -> str:
    """Three digits; None is NaN or infinity, which a log holds as `null`."""
    return "not a number" if value is None else f"{value:.3g}"


def losses(history: list[dict[str, Any]]) -> str:
    """First and last loss, or mean reward, of a training log: `loss 6.55 → 0.71; 0.82 on held-out rows`."""
    measure = "reward" if any("reward" in entry for entry in history) else "loss"
    training, held_out = ([entry[key] for entry in history if key in entry] for key in (measure, f"eval_{measure}"))
    parts = []
    if training:
        parts.append(f"{measure} {loss(training[0])} → {loss(training[-1])}")
    if held_out:
        parts.append(f"{loss(held_out[-1])} on held-out rows")
    return "; ".join(parts)
