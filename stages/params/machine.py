"""What the graph is allowed to assume of the machine; declared, so that it is in every key that it touches."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params.numbers import Positive


class Machine(Params):
    section: ClassVar[str] = "machine"

    device: Literal["cpu", "cuda"]
    dtype: Literal["float32", "bfloat16"]  # of weights and arithmetic
    threads: Positive  # CPU threads of one stage; other numbers give other bytes


class Reservation(Params):
    mem_mb: Positive
    minutes: Positive  # a scheduler may end a stage that takes longer


class DeviceReservation(Reservation):
    gpu: Annotated[int, Meta(ge=0)]


class Resources(Params):
    """What a scheduler reserves for a stage. Templates in dvc.yaml read it, by each stage's `meta`; no stage does."""

    section: ClassVar[str] = "resources"

    light: Reservation  # preflight, and what reads reports only
    rows: Reservation  # ingest to split
    model: DeviceReservation  # what runs a model on machine.device: base, train, evaluate
    weights: Reservation  # what handles whole weights on the CPU: merge, quantize, parity
