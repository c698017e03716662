"""Release: quantized models, their parity with the model that they were made from, the card and the report."""

from typing import Annotated, ClassVar, Literal, NamedTuple

from msgspec import Meta, field

from modelmake.params import Params
from stages.params.numbers import Amount, Fraction, Positive, Rate


class Target(NamedTuple):
    """What a type asks of an entry of `quantize` and of a model."""

    calibration: Literal["none", "optional", "needed"] = "none"
    multiple: int = 1  # of which the number of weights in each row of a matrix must be one


class Calibration(Params):
    """Training rows for a tool that calibrates on activations."""

    section: ClassVar[str] = "quantize.{quant}.calibration"

    rows: Literal["chat", "text"]  # kind of rows
    num_calibration_samples: Positive


class _Quant(Params, rename={"from_": "from"}):
    section: ClassVar[str] = "quantize.{quant}"
    TYPES: ClassVar[dict[str, Target]]  # by the name of an entry
    FALLS_BACK: ClassVar[bool]  # a matrix of other rows is stored in another type; else the tool refuses it

    from_: str  # `base` or a step: the model to quantize

    def modules(self) -> list[str]:
        return [f"stages.exporting.quantizers.{type(self).__struct_config__.tag}"]


class Gguf(_Quant, tag_field="tool", tag="gguf"):
    """A GGUF file written by the gguf package, without a compiler. The section's name is the type."""

    TYPES: ClassVar = {
        **dict.fromkeys(("F32", "F16", "BF16"), Target()),
        **dict.fromkeys(("Q8_0", "Q5_0", "Q4_0"), Target(multiple=32)),
    }
    FALLS_BACK: ClassVar = True
    RUNTIMES: ClassVar = ("llama_cpp",)

    calibration: None  # uses the weights alone


class LlamaCpp(_Quant, tag_field="tool", tag="llama_cpp"):
    """A GGUF file quantized by llama.cpp itself, which envs/llama_cpp compiles at the first use."""

    TYPES: ClassVar = dict.fromkeys(("Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"), Target("optional", 256))
    FALLS_BACK: ClassVar = True
    RUNTIMES: ClassVar = ("llama_cpp",)

    calibration: Calibration | None  # rows by which the errors of weights are weighed; null: all weigh the same

    def modules(self) -> list[str]:
        return [*super().modules(), *(["stages.exporting.importance"] if self.calibration else [])]

    def environments(self) -> list[str]:
        return ["envs/llama_cpp"]


class Llmcompressor(_Quant, tag_field="tool", tag="llmcompressor"):
    """Safetensors in the compressed-tensors format, by llmcompressor in envs/llmcompressor.

    `awq` (Lin et al. 2023, arXiv:2306.00978) and `gptq` (Frantar et al. 2022, arXiv:2210.17323) are W4A16, symmetric,
    in groups of 128. `int8` and `fp8` are W8A8: a scale for each row of weights, and for each token of activations
    while the model runs; the weights of `int8` are rounded by GPTQ.
    """

    TYPES: ClassVar = {
        "awq": Target("needed", 128), "gptq": Target("needed", 128), "int8": Target("needed"), "fp8": Target()
    }  # fmt: skip
    FALLS_BACK: ClassVar = False
    RUNTIMES: ClassVar = ("compressed_tensors",)

    calibration: Calibration | None  # null for fp8
    max_seq_length: Positive | None  # tokens; longer rows are cut; null for fp8
    device: Literal["cpu", "cuda"]

    def environments(self) -> list[str]:
        return ["envs/llmcompressor"]


class Bitsandbytes(_Quant, tag_field="tool", tag="bitsandbytes"):
    """Safetensors that transformers loads with bitsandbytes: `nf4` (Dettmers et al. 2023, arXiv:2305.14314) with scales
    that are quantized too, `llm_int8` (Dettmers et al. 2022, arXiv:2208.07339).
    """

    TYPES: ClassVar = {"nf4": Target(), "llm_int8": Target()}
    FALLS_BACK: ClassVar = False
    RUNTIMES: ClassVar = ("bitsandbytes",)

    calibration: None  # uses the weights alone


Quant = Gguf | LlamaCpp | Llmcompressor | Bitsandbytes


class Parity(Params):
    """Bounds on the difference between a quantized model and the model that it was made from.

    Each figure is one of reports/parity/<quant>.json. `max_` bounds it above and `min_` below; null, or no such field
    as in an older params.yaml: no bound.
    """

    section: ClassVar[str] = "parity.{quant}"

    max_difference: Fraction  # of exact_match, either way
    min_same_answers: Fraction | None  # share of rows with equal answers; null as for types of few bits
    max_losses: dict[str, Amount] = field(default_factory=dict)  # {metric of compare.suite: how much worse it may be}
    max_changed_prompts: Annotated[int, Meta(ge=0)] | None = None  # that the runtime makes otherwise than training
    # of the tokens of the expected answers, each predicted by both from the same tokens before it:
    max_mean_kl: Amount | None = None  # nats, of the file's distribution from the model's
    max_kl_99_9: Amount | None = None  # nats, that 99.9 % of tokens do not exceed
    min_same_top: Fraction | None = None  # share of tokens whose likeliest token is the same
    max_nmse: Amount | None = None  # squared error of logits over their variance
    max_perplexity_ratio: Rate | None = None  # of the file over the model


class Card(Params):
    section: ClassVar[str] = "card"

    model: str  # `base` or a step: the model that the card describes
    name: str
    license: str | None  # SPDX identifier of the weights; null: not declared
    language: list[str] | None  # ISO 639-1; null: not declared
    description: str | None  # null: not declared


class Report(Params):
    section: ClassVar[str] = "report"

    title: str | None  # null: the name of the card
    examples: Annotated[int, Meta(ge=0)]  # held-out questions, shown with every model's answer
