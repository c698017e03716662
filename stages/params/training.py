"""Steps of training. Fields have the names that TRL, PEFT and transformers use."""

from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal, get_args

from msgspec import Meta

from modelmake.params import Params
from stages.params import model_path, schedules
from stages.params.evaluation import AnswerMetric, Suite
from stages.params.numbers import Fraction, Positive, Rate
from stages.params.schedules import Optimizer, Schedule, Warmup
from stages.params.weights import CHANGE_THE_BASE, Quantization, Weights


class Best(Params):
    """Which step's weights are kept: those of the best evaluation, not the last."""

    metric: str  # one of the method's EVALUATED
    patience: Positive | None  # training ends after as many evaluations without a better one; null: it does not


class _Step(Params, rename={"from_": "from"}):
    EVALUATED: ClassVar[dict[str, bool]] = {"eval_loss": False}  # {measure of an evaluation: higher is better}

    DROPOUT: ClassVar[bool] = True  # False: TRL trains without
    TASK_TYPE: ClassVar[str] = "CAUSAL_LM"  # PEFT's name of what the trained model does

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
        if self.best and self.best.metric not in self.EVALUATED:
            problems.append(f"best.metric = {self.best.metric!r}: want one of {', '.join(self.EVALUATED)}")
        return problems + schedules.problems(self.lr_scheduler_type, self.lr_scheduler_kwargs, self.learning_rate)

    def modules(self) -> list[str]:
        method = f"stages.training.methods.{type(self).__struct_config__.tag}"
        return [method, *self.weights.modules(), *(self.quantization.modules() if self.quantization else [])]


class Sft(_Step, tag_field="method", tag="sft"):
    """Supervised fine-tuning."""

    section: ClassVar[str] = "train.{step}"

    rows: Literal["chat"]
    assistant_only_loss: bool


class Cpt(_Step, tag_field="method", tag="cpt"):
    """Continued pretraining: every token of texts."""

    section: ClassVar[str] = "train.{step}"

    rows: Literal["text"]
    over_long: Literal["drop", "truncate", "error", "split"]  # split: into pieces of max_length
    packing: bool  # texts share blocks of max_length tokens; a batch is of blocks


class Dpo(_Step, tag_field="method", tag="dpo"):
    """Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290)."""

    section: ClassVar[str] = "train.{step}"

    EVALUATED: ClassVar[dict[str, bool]] = {
        "eval_loss": False, "eval_rewards/accuracies": True, "eval_rewards/margins": True,
    }  # fmt: skip

    rows: Literal["pair"]
    beta: Rate
    loss_type: list[Literal["sigmoid", "hinge", "ipo", "robust", "sft"]]
    loss_weights: list[Annotated[float, Meta(ge=0)]]

    def problems(self) -> list[str]:
        problems = super().problems()
        if len(self.loss_type) != len(self.loss_weights):
            problems.append(
                f"loss_weights: found {len(self.loss_weights)} values, want {len(self.loss_type)}, "
                "one for each loss_type"
            )
        elif not any(self.loss_weights):
            problems.append("loss_weights: none is above 0: want one that is, or nothing is trained")
        if self.over_long == "truncate":
            problems.append(
                "over_long = 'truncate': want drop or error: a truncated pair may lose what makes it a preference"
            )
        return problems


class Orpo(_Step, tag_field="method", tag="orpo"):
    """Odds ratio preference optimisation: SFT and preference in one (Hong et al. 2024, arXiv:2403.07691)."""

    section: ClassVar[str] = "train.{step}"

    EVALUATED: ClassVar[dict[str, bool]] = {
        "eval_loss": False, "eval_rewards/accuracies": True, "eval_rewards/margins": True,
    }  # fmt: skip

    rows: Literal["pair"]
    beta: Rate  # weight of the odds ratio beside the likelihood of the chosen answer; the paper's lambda

    def problems(self) -> list[str]:
        problems = super().problems()
        if self.over_long == "truncate":
            problems.append(
                "over_long = 'truncate': want drop or error: a truncated pair may lose what makes it a preference"
            )
        return problems


class Distill(_Step, tag_field="method", tag="distill"):
    """Learning a teacher's distribution over each next token of the rows (Hinton et al. 2015, arXiv:1503.02531)."""

    section: ClassVar[str] = "train.{step}"

    EVALUATED: ClassVar[dict[str, bool]] = {"eval_loss": False, "eval_divergence": False}

    rows: Literal["chat"]
    assistant_only_loss: bool
    beta: Fraction  # 0: forward KL divergence from the teacher, 1: reverse; between: generalized JSD, as in TRL
    temperature: Rate  # of both distributions
    alpha: Fraction  # weight of the divergence; 1 - alpha is that of the rows' own tokens

    def second_model_as(self) -> str:
        return "a teacher"

    def problems(self) -> list[str]:
        problems = super().problems()
        if not self.alpha:
            problems.append("alpha = 0.0: want more: nothing would come from the teacher; or use sft")
        return problems


class Kto(_Step, tag_field="method", tag="kto"):
    """Optimisation by answers judged good or bad, without pairs (Ethayarajh et al. 2024, arXiv:2402.01306)."""

    section: ClassVar[str] = "train.{step}"

    DROPOUT: ClassVar[bool] = False

    rows: Literal["judged"]
    beta: Rate
    desirable_weight: Rate  # of the loss of good answers
    undesirable_weight: Rate  # of bad ones

    def turns_adapter_off(self) -> bool:
        return True

    def problems(self) -> list[str]:
        problems = super().problems()
        if self.per_device_train_batch_size < 2:
            problems.append("per_device_train_batch_size = 1: want 2 or more: kto compares the answers of a batch")
        if self.over_long == "truncate":
            problems.append("over_long = 'truncate': want drop or error: the judgement is of the whole answer")
        return problems


class OwnAnswers(_Step):
    """Learning from answers that the model gives itself, by what they are worth."""

    EVALUATED: ClassVar[dict[str, bool]] = {"eval_reward": True}
    DROPOUT: ClassVar[bool] = False

    rows: Literal["chat"]  # prompts, and the answers that metrics expect
    rewards: dict[str, Rate]  # {metric of stages/evaluating/metrics, or second_model: its weight}
    label: str | None  # this and the next two as in a suite
    slots: list[str]
    answer_schema: dict[str, Any] | None
    num_generations: Annotated[int, Meta(ge=2)]  # answers to a prompt; they divide the batch of an optimizer step
    max_completion_length: Positive  # tokens of an answer
    temperature: Rate
    beta: Annotated[float, Meta(ge=0)]  # of the KL divergence from the model that the step starts from

    def turns_adapter_off(self) -> bool:
        return self.beta > 0

    def suite(self) -> Suite:
        """The metrics among the rewards, as `evaluate` measures them."""
        metrics = [name for name in self.rewards if name in get_args(AnswerMetric)]
        return Suite(self.max_completion_length, 1, metrics, self.label, self.slots, self.answer_schema)

    def second_model_as(self) -> str:
        return "a reward model" if "second_model" in self.rewards else ""

    def problems(self) -> list[str]:
        problems = super().problems()
        names = [*get_args(AnswerMetric), "second_model"]
        problems += [f"rewards.{name}: want one of {', '.join(names)}" for name in self.rewards if name not in names]
        if not self.rewards:
            problems.append("rewards: is empty: want one of " + ", ".join(names))
        problems += self.suite().problems()
        batch = self.per_device_train_batch_size * self.gradient_accumulation_steps
        if batch % self.num_generations:
            problems.append(
                f"num_generations = {self.num_generations}: want a divisor of per_device_train_batch_size × "
                f"gradient_accumulation_steps = {batch}, the answers of a step"
            )
        if self.over_long == "truncate":
            problems.append("over_long = 'truncate': want drop or error: a prompt without its end asks something else")
        if "lm_head" in getattr(self.weights, "target_modules", []):
            problems.append("weights.target_modules: want no lm_head: TRL computes the loss without its adapter")
        return problems

    def modules(self) -> list[str]:
        return [*super().modules(), *self.suite().modules()]


class Grpo(OwnAnswers, tag_field="method", tag="grpo"):
    """Group relative policy optimisation (Shao et al. 2024, arXiv:2402.03300)."""

    section: ClassVar[str] = "train.{step}"

    loss_type: Literal["grpo", "dapo", "dr_grpo"]  # how the loss of tokens is averaged
    scale_rewards: Literal["group", "none"]  # by the deviation in the group of a prompt, or not (arXiv:2503.20783)


class Rloo(OwnAnswers, tag_field="method", tag="rloo"):
    """REINFORCE, each answer against the mean of the others to its prompt (Ahmadian et al. 2024, arXiv:2402.14740)."""

    section: ClassVar[str] = "train.{step}"

    normalize_advantages: bool  # by their deviation in the batch


class Reward(_Step, tag_field="method", tag="reward"):
    """A reward model: it scores answers, as grpo and rloo need it (Ouyang et al. 2022, arXiv:2203.02155)."""

    section: ClassVar[str] = "train.{step}"

    EVALUATED: ClassVar[dict[str, bool]] = {"eval_loss": False, "eval_accuracy": True, "eval_margin": True}
    DROPOUT: ClassVar[bool] = False
    TASK_TYPE: ClassVar[str] = "SEQ_CLS"

    rows: Literal["pair"]

    def problems(self) -> list[str]:
        problems = super().problems()
        if self.over_long == "truncate":
            problems.append("over_long = 'truncate': want drop or error: the end of an answer is where it is scored")
        if self.quantization:
            problems.append("quantization: want null: the score is no layer of a model in 4 bits")
        return problems


Step = Sft | Cpt | Distill | Orpo | Dpo | Kto | Grpo | Rloo | Reward


def in_order(train: dict[str, Step]) -> dict[str, Step]:
    """The steps, each after those whose models it reads, as pages show them; else by name."""

    def before(name: str) -> int:
        return 1 + max(map(before, train[name].starts().values())) if name in train else 0

    return dict(sorted(train.items(), key=lambda item: (before(item[0]), item[0])))
