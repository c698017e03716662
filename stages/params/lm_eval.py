"""Tasks of lm-eval (the Language Model Evaluation Harness): suites whose questions and scores are lm-eval's."""

from typing import Annotated, ClassVar

from msgspec import Meta

from modelmake.params import Params
from stages.params.numbers import Positive

MADE_OTHERWISE = ("bleu", "bleu_zh", "chrf", "macro_f1")  # metrics of suites that are no means of rows


class Task(Params):
    """A task, by its name: `<task>.yaml` in `data/lm_eval/<task>/`, or one of lm-eval's own on the data there.

    All models get the same questions, shots and template. Fields are spelt as those of lm-eval.
    """

    section: ClassVar[str] = "evaluate.tasks.{task}"

    metrics: list[str]  # <metric> or <metric>.<filter>, each a mean over rows, or of likelihoods
    num_fewshot: Annotated[int, Meta(ge=0)]
    seed: int  # of the draw of shots and rows
    apply_chat_template: bool  # the model's own, each shot two turns; false: plain text
    system_instruction: str | None
    until: list[str] | None  # texts that end an answer; null: as the task's YAML says
    max_gen_toks: Positive | None  # tokens of an answer; null: as the task's YAML says
    strip_answers: bool  # white space around answers is none of them
    max_rows: Positive | None  # as many are drawn; null: all
    batch_size: Positive  # answers in bfloat16 depend on it

    def problems(self) -> list[str]:
        if not self.metrics:
            return ["metrics: is empty: want some of the task's"]
        return [
            f"metrics = {name!r}: want a mean over rows, or one of likelihoods; measure it in a suite"
            for name in self.metrics if name.partition(".")[0] in MADE_OTHERWISE
        ]  # fmt: skip

    def environments(self) -> list[str]:
        return ["envs/lm_eval"]
