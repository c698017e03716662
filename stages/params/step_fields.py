"""What steps of training have in common, whatever their method. Names are those of TRL, PEFT and transformers."""

from pathlib import PurePath
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from modelmake.params import Params
from stages.params import model_path, schedules
from stages.params.numbers import Positive, Rate
from stages.params.schedules import Optimizer, Schedule, Warmup
from stages.params.weights import CHANGE_THE_BASE, All, Lora, Quantization, Weights

SHARDED = (All, Lora)  # weights that `sharding` shards

ATTENTION = ("eager", "sdpa")
NO_ATTENTION = {  # why not, by how the name begins
    "flash_attention": "its package is in no lock, so no key holds it: want sdpa, which has PyTorch's flash kernels",
    "flex_attention": "it is compiled for each shape of a batch: want sdpa",
    "kernels-community": "it is code from the hub, which no lock and no key holds: want sdpa",
}


class Best(Params):
    """Which step's weights are kept: those of the best evaluation, not the last."""

    metric: str  # one of the method's EVALUATED
    patience: Positive | None  # training ends after as many evaluations without a better one; null: it does not


class StepFields(Params, rename={"from_": "from"}):
    """What steps of every method have."""

    EVALUATED: ClassVar[dict[str, bool]] = {"eval_loss": False}  # {measure of an evaluation: higher is better}
    WHOLE: ClassVar[str] = ""  # why rows are not truncated, if they are not
    DROPOUT: ClassVar[bool] = True  # False: TRL trains without
    TASK_TYPE: ClassVar[str] = "CAUSAL_LM"  # PEFT's name of what the trained model does
    ALONE: ClassVar[str] = ""  # why it trains in one process, if it does

    from_: str  # `base` or another step
    second_model: str  # folder of a model that the method uses: models/<step>, or another; recipes/no_model.json: none
    seed: int
    weights: Weights  # which of them it trains
    quantization: Quantization | None  # of the frozen base; null: none
    max_length: Positive  # tokens of a row under the model's chat template
    over_long: Literal["drop", "truncate", "error"]
    omit: list[Literal["reasoning_content", "tools"]]  # fields that the chat template may leave out; else train stops
    num_train_epochs: Rate
    per_device_train_batch_size: Positive
    gradient_accumulation_steps: Positive
    gradient_checkpointing: bool
    attn_implementation: str | None  # eager or sdpa; null: what transformers takes for the model
    processes: Positive  # a step has per_device_train_batch_size × gradient_accumulation_steps rows for each
    sharding: Literal["fsdp2", "zero3"] | None  # of weights, gradients and optimizer over them; null: all have all
    learning_rate: Rate
    optim: Optimizer
    lr_scheduler_type: Schedule
    lr_scheduler_kwargs: dict[str, int | float]  # see stages/params/schedules.py
    warmup_steps: Warmup  # below 1: a share of the steps
    weight_decay: Annotated[float, Meta(ge=0)]
    max_grad_norm: Rate
    logging_steps: Positive
    eval_steps: Positive
    best: Best | None  # null: the weights of the last step are kept
    stop_on: list[Literal["divergence", "overfitting"]]  # else told; rules in stages/training/watching.py

    def second_model_as(self) -> str:
        """What the method uses its second model as; "" if it uses none."""
        return ""

    def turns_adapter_off(self) -> bool:
        """Whether the method compares the model with the one that it starts from, by turning its adapter off."""
        return False

    def starts(self) -> dict[str, str]:
        """{field: `base` or another step} of the models of this graph that the step reads."""
        second = PurePath(self.second_model)
        ours = {"second_model": str(second.relative_to("models"))} if second.is_relative_to("models") else {}
        return {"from": self.from_, **ours}

    def problems(self) -> list[str]:
        problems, found = [], f"second_model = {self.second_model!r}"
        method, use = type(self).__struct_config__.tag, self.second_model_as()
        if use and self.second_model == model_path.NO_MODEL:
            problems.append(f"{found}: want the folder of {use} for {method}: models/<step>, or another model's")
        elif not use and self.second_model != model_path.NO_MODEL:
            problems.append(f"{found}: want {model_path.NO_MODEL}: {method} uses no second model")
        start = getattr(self.weights, "init_lora_weights", None)
        if start in CHANGE_THE_BASE and self.turns_adapter_off():
            problems.append(
                f"weights.init_lora_weights = {start!r}: want true for {method}: TRL's reference is the base without "
                "the adapter, which would lack what this start takes out of it"
            )
        refused = self.weights.on_4_bits() if self.quantization else []
        problems += [f"quantization: {why}" for why in refused]
        if not self.DROPOUT and getattr(self.weights, "lora_dropout", 0):
            problems.append(f"weights.lora_dropout = {self.weights.lora_dropout:g}: want 0: {method} has no dropout")
        if self.attn_implementation not in (*ATTENTION, None):
            begins = self.attn_implementation.startswith
            why = next((why for name, why in NO_ATTENTION.items() if begins(name)), "want null, eager or sdpa")
            problems.append(f"attn_implementation = {self.attn_implementation!r}: {why}")
        if self.over_long == "truncate" and self.WHOLE:
            problems.append(f"over_long = 'truncate': want drop or error: {self.WHOLE}")
        if self.best and self.best.metric not in self.EVALUATED:
            problems.append(f"best.metric = {self.best.metric!r}: want one of {', '.join(self.EVALUATED)}")
        problems += self._processes_problems()
        return problems + schedules.problems(
            self.lr_scheduler_type, self.lr_scheduler_kwargs, self.learning_rate, self.warmup_steps
        )

    def _processes_problems(self) -> list[str]:
        if self.processes == 1:
            return [f"sharding = {self.sharding!r}: want null with processes = 1"] if self.sharding else []
        refused = [why for why in (self.ALONE, self.weights.ALONE) if why]
        if self.quantization:
            refused.append("a base in 4 bits was not tried in several")
        problems = [f"processes = {self.processes}: want 1: {why}" for why in refused]
        if self.sharding and type(self.weights) not in SHARDED:
            kinds = " or ".join(way.__struct_config__.tag for way in SHARDED)
            problems.append(f"sharding = {self.sharding!r}: want null, or weights.kind = {kinds}")
        return problems

    def modules(self) -> list[str]:
        method = f"stages.training.methods.{type(self).__struct_config__.tag}"
        return [method, *self.weights.modules(), *(self.quantization.modules() if self.quantization else [])]
