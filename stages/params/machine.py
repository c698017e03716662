"""What the graph is allowed to assume of the machine; declared, so that it is in every key that it touches."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params


class Machine(Params):
    section: ClassVar[str] = "machine"

    device: Literal["cpu", "cuda"]
    dtype: Literal["float32", "bfloat16"]  # of weights and arithmetic
    threads: Annotated[int, Meta(ge=1)]  # CPU threads of one stage; other numbers give other bytes
