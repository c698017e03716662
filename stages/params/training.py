"""Steps of training: a struct for each method. Fields have the names that TRL, PEFT and transformers use."""

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta

from stages.params.numbers import Fraction, Positive, Rate
from stages.params.step_fields import StepFields


class Sft(StepFields, tag_field="method", tag="sft"):
    """Supervised fine-tuning."""

    section: ClassVar[str] = "train.{step}"

    rows: Literal["chat"]
    assistant_only_loss: bool


class Cpt(StepFields, tag_field="method", tag="cpt"):
    """Continued pretraining: every token of texts."""

    section: ClassVar[str] = "train.{step}"

    rows: Literal["text"]
    over_long: Literal["drop", "truncate", "error", "split"]  # split: into pieces of max_length
    packing: bool  # texts share blocks of max_length tokens; a batch is of blocks


class Dpo(StepFields, tag_field="method", tag="dpo"):
    """Direct preference optimisation (Rafailov et al. 2023, arXiv:2305.18290)."""

    section: ClassVar[str] = "train.{step}"

    EVALUATED: ClassVar[dict[str, bool]] = {
        "eval_loss": False, "eval_rewards/accuracies": True, "eval_rewards/margins": True,
    }  # fmt: skip
    DROPOUT: ClassVar[bool] = False
    WHOLE: ClassVar[str] = "a truncated pair may lose what makes it a preference"

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
        return problems


class Orpo(StepFields, tag_field="method", tag="orpo"):
    """Odds ratio preference optimisation: SFT and preference in one (Hong et al. 2024, arXiv:2403.07691)."""

    section: ClassVar[str] = "train.{step}"

    EVALUATED: ClassVar[dict[str, bool]] = {
        "eval_loss": False, "eval_rewards/accuracies": True, "eval_rewards/margins": True,
    }  # fmt: skip
    WHOLE: ClassVar[str] = "a truncated pair may lose what makes it a preference"

    rows: Literal["pair"]
    beta: Rate  # weight of the odds ratio beside the likelihood of the chosen answer; the paper's lambda


class Distill(StepFields, tag_field="method", tag="distill"):
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


class Kto(StepFields, tag_field="method", tag="kto"):
    """Optimisation by answers judged good or bad, without pairs (Ethayarajh et al. 2024, arXiv:2402.01306)."""

    section: ClassVar[str] = "train.{step}"

    DROPOUT: ClassVar[bool] = False
    ALONE: ClassVar[str] = "kto compares the answers of a batch, and shares would not be compared"
    WHOLE: ClassVar[str] = "the judgement is of the whole answer"

    rows: Literal["judged", "pair"]  # of a pair, a good answer and a bad one
    beta: Rate
    desirable_weight: Rate  # of the loss of good answers
    undesirable_weight: Rate  # of bad ones

    def turns_adapter_off(self) -> bool:
        return True

    def problems(self) -> list[str]:
        problems = super().problems()
        if self.per_device_train_batch_size < 2:
            problems.append("per_device_train_batch_size = 1: want 2 or more: kto compares the answers of a batch")
        return problems


class OwnAnswers(StepFields):
    """Learning from answers that the model gives itself, by what they are worth."""

    EVALUATED: ClassVar[dict[str, bool]] = {"eval_reward": True}
    DROPOUT: ClassVar[bool] = False
    ALONE: ClassVar[str] = "answers that several processes sample are not those of one"
    WHOLE: ClassVar[str] = "a prompt without its end asks something else"

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

    def metrics(self) -> list[str]:
        """The metrics among the rewards. That they exist, reward_checks.py tells: a key of training lists none."""
        return [name for name in self.rewards if name != "second_model"]

    def second_model_as(self) -> str:
        return "a reward model" if "second_model" in self.rewards else ""

    def problems(self) -> list[str]:
        problems = super().problems()
        batch = self.per_device_train_batch_size * self.gradient_accumulation_steps
        if batch % self.num_generations:
            problems.append(
                f"num_generations = {self.num_generations}: want a divisor of per_device_train_batch_size × "
                f"gradient_accumulation_steps = {batch}, the answers of a step"
            )
        if self.stop_on:
            name = type(self).__struct_config__.tag
            problems.append(
                f"stop_on = {self.stop_on}: want []: {name} tells rewards, no loss that could diverge or overfit"
            )
        if "lm_head" in getattr(self.weights, "target_modules", []):
            problems.append("weights.target_modules: want no lm_head: TRL computes the loss without its adapter")
        return problems

    def modules(self) -> list[str]:
        return [*super().modules(), *(f"stages.evaluating.metrics.{name}" for name in self.metrics())]


class Grpo(OwnAnswers, tag_field="method", tag="grpo"):
    """Group relative policy optimisation (Shao et al. 2024, arXiv:2402.03300)."""

    section: ClassVar[str] = "train.{step}"

    loss_type: Literal["grpo", "dapo", "dr_grpo"]  # how the loss of tokens is averaged
    scale_rewards: Literal["group", "none"]  # by the deviation in the group of a prompt, or not (arXiv:2503.20783)


class Rloo(OwnAnswers, tag_field="method", tag="rloo"):
    """REINFORCE, each answer against the mean of the others to its prompt (Ahmadian et al. 2024, arXiv:2402.14740)."""

    section: ClassVar[str] = "train.{step}"

    normalize_advantages: bool  # by their deviation in the batch


class Reward(StepFields, tag_field="method", tag="reward"):
    """A reward model: it scores answers, as grpo and rloo need it (Ouyang et al. 2022, arXiv:2203.02155)."""

    section: ClassVar[str] = "train.{step}"

    EVALUATED: ClassVar[dict[str, bool]] = {"eval_loss": False, "eval_accuracy": True, "eval_margin": True}
    DROPOUT: ClassVar[bool] = False
    TASK_TYPE: ClassVar[str] = "SEQ_CLS"
    WHOLE: ClassVar[str] = "the end of an answer is where it is scored"

    rows: Literal["pair"]

    def problems(self) -> list[str]:
        problems = super().problems()
        if self.quantization:
            problems.append("quantization: want null: the score is no layer of a model in 4 bits")
        return problems


Step = Sft | Cpt | Distill | Orpo | Dpo | Kto | Grpo | Rloo | Reward


def in_order(train: dict[str, Step]) -> dict[str, Step]:
    """The steps, each after those whose models it reads, as pages show them; else by name."""

    def before(name: str) -> int:
        return 1 + max(map(before, train[name].starts().values())) if name in train else 0

    return dict(sorted(train.items(), key=lambda item: (before(item[0]), item[0])))
