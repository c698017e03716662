"""The machine that the graph assumes. It is declared, so that it is in the key of every stage that depends on it."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params.numbers import Positive


class Machine(Params):
    section: ClassVar[str] = "machine"

    device: Literal["cpu", "cuda"]
    dtype: Literal["float32", "bfloat16"]  # of frozen weights and arithmetic; what is trained is float32
    threads: Positive  # CPU threads of a stage; the bytes of models depend on it


class Reservation(Params):
    mem_mb: Positive
    minutes: Positive  # a scheduler may kill a stage that takes longer


class DeviceReservation(Reservation):
    gpu: Annotated[int, Meta(ge=0)]


class Resources(Params):
    """Reservations of a scheduler by kind of stage. Only the `meta` templates of dvc.yaml read them, no stage does."""

    section: ClassVar[str] = "resources"

    light: Reservation  # preflight, and stages that only read reports
    rows: Reservation  # ingest to split
    model: DeviceReservation  # stages that run a model on machine.device: base, train, answer
    weights: DeviceReservation  # of whole weights: merge, quantize, answer_quantized; a GPU for the last two
