"""Training on answers that the model gives itself, as GRPO and RLOO do: a group of sampled answers to each prompt.

Every optimizer step samples its own answers and uses them once, so that a checkpoint, which is made after a step,
leaves none behind.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec

from modelmake.errors import UserError
from stages.answers.decoder import Decoder
from stages.params.evaluation import of_rewards
from stages.params.training import OwnAnswers
from stages.rows.row import Content
from stages.training import chat_template, resume, reward_model, rewards, row_means
from stages.training.given import Given
from stages.training.tokens import Tokens


def example(content: Content, sides: list[Tokens]) -> dict[str, Any]:
    """The prompt's tokens as the template makes them, and the row, which rewards compare answers with."""
    [prompt] = sides
    return {"prompt": prompt.ids, "content": msgspec.json.encode(content).decode()}


def settings(params: OwnAnswers) -> dict[str, Any]:
    """Arguments that GRPOConfig and RLOOConfig share."""
    return {
        "num_generations": params.num_generations,
        "num_generations_eval": 1,
        "max_completion_length": params.max_completion_length,
        "temperature": params.temperature,
        "beta": params.beta,
        "reward_weights": list(params.rewards.values()),
        "disable_dropout": True,  # else TRL samples with dropout
    }


def check(given: Given, params: OwnAnswers) -> None:
    """Checks prompts, what is expected of answers, and the second model.

    Raises:
        UserError: prompts are too few or too long, the expected answers lack what is rewarded, or the second model is
            no reward model that reads these tokens.
    """
    from transformers import AutoConfig

    name, rows = type(params).__struct_config__.tag, given.kept.rows
    per_step = params.per_device_train_batch_size * params.gradient_accumulation_steps // params.num_generations
    if len(rows) < per_step:
        raise UserError(
            f"{name}: {len(rows)} prompts: want {per_step} or more, those of a step; add rows, or lower the batch"
        )
    longest = max(len(prompt.ids) for kept in (given.kept, given.held_out) for [prompt] in kept.sides)
    context = getattr(AutoConfig.from_pretrained(given.start).get_text_config(), "max_position_embeddings", None)
    if context and context < longest + params.max_completion_length:
        raise UserError(
            f"{name}: prompts of up to {longest} tokens and max_completion_length = {params.max_completion_length}: "
            f"want at most the model's max_position_embeddings = {context} together; lower one of them, or max_length"
        )
    for metric, n in rewards.unusable([row.content for row in rows], of_rewards(params), name).items():
        print(f"  {n} expected answers lack what {metric} compares: all answers to them are worth the same", flush=True)
    if params.second_model_as():
        reward_model.check(given.second_model, given.tokenizer)
    if left := len(rows) % per_step:
        print(
            f"  {left} of {len(rows)} prompts, others each time, are left out of an epoch: a step has {per_step}",
            flush=True,
        )


def trainer(
    trainer_class: type, config: Any, params: OwnAnswers, second_model: Path | None = None, **parts: Any
) -> Any:
    """A TRL trainer; `parts` are model, datasets, processing_class and peft_config."""
    model, tokenizer = parts["model"], parts["processing_class"]
    decoder = Decoder(tokenizer, chat_template.stop_token_ids(Path(model.name_or_path), tokenizer))
    functions = rewards.functions(of_rewards(params), decoder)
    if second_model:
        functions["second_model"] = rewards.of_model(second_model, model.device, params.per_device_train_batch_size)
    for reward_name, function in functions.items():
        function.__name__ = reward_name  # in TRL's log
    reward_funcs = [functions[reward_name] for reward_name in params.rewards]
    return _answering(trainer_class)(args=config, reward_funcs=reward_funcs, **parts)


def equal_groups(log_history: list[dict[str, Any]], per_step: int) -> int:
    """How many groups of answers were all worth the same, so that none of them could be learned from.

    Args:
        log_history: entries of the mean share of such groups in the steps since the entry before.
        per_step: groups of a step.
    """
    n, last = 0.0, 0
    for entry in log_history:
        if "frac_reward_zero_std" in entry:
            n += entry["frac_reward_zero_std"] * (entry["step"] - last) * per_step
            last = entry["step"]
    return round(n)


def _answering(trainer_class: type) -> type:
    """Subclass of a TRL trainer that records the prompts of each step, and tells rewards instead of a loss.

    The datasets have the columns of `example`, and `row`, the index of each row. `consumed` is [(step, [row, …])].
    """

    class AnsweringTrainer(resume.epoch_seeded(trainer_class)):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.consumed: list[tuple[int, list[int]]] = []
            super().__init__(*args, **kwargs)

        def _tokenize_prompts(self, prompts: list[list[int]]) -> tuple[list[list[int]], None, dict[str, Any]]:
            return prompts, None, {}

        def _generate_single_turn(self, *args: Any) -> Any:
            """Samples by this step's settings alone: transformers adds those of the model's folder, no loss does.

            It computes in the dtypes of the loss, which on a machine of bfloat16 are not those of all weights.
            """
            from transformers import GenerationConfig

            model = self.accelerator.unwrap_model(self.model)
            model = model.get_base_model() if hasattr(model, "get_base_model") else model
            saved, model.generation_config = model.generation_config, GenerationConfig()
            try:
                with self.accelerator.autocast():
                    return super()._generate_single_turn(*args)
            finally:
                model.generation_config = saved

        def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
            training = self.model.training
            if training:
                rows = dict.fromkeys(example["row"] for example in inputs)  # each is there as often as it is answered
                self.consumed.append((self.state.global_step + 1, list(rows)))
            with nullcontext() if training else row_means.by_row(self._metrics["eval"], len(inputs)):
                return super()._generate_and_score_completions(inputs)

        def log(self, logs: dict[str, float], *args: Any) -> None:
            for name in ("loss", "eval_loss"):  # about 0 however much is learned
                logs.pop(name, None)
            super().log(logs, *args)

        def groups(self) -> dict[str, int]:
            """How many groups of answers were sampled, and how many of them had equal rewards."""
            per_step = self.args.generation_batch_size // self.num_generations
            equal = equal_groups(self.state.log_history, per_step)
            return {"groups": self.state.global_step * per_step, "equal_groups": equal}

    return AnsweringTrainer
