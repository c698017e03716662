"""Distillation: SFT on the rows' chats, with the distribution of a teacher over each next token as the target.

The loss is TRL's generalized Jensen-Shannon divergence (Agarwal et al. 2024, arXiv:2306.13649), beside the rows' own
tokens (Hinton et al. 2015, arXiv:1503.02531). TRL's DistillationTrainer has the student write the answers; here they
are those of the rows.
"""

from pathlib import Path
from typing import Any

from modelmake.errors import UserError
from stages.params.training import Distill
from stages.rows.row import Content
from stages.training import chat_template, consumed_rows
from stages.training.given import Given
from stages.training.kept_rows import Kept
from stages.training.row_renderer import Loss
from stages.training.tokens import Tokens


def loss(params: Distill) -> Loss:
    """Assistant turns, or every token."""
    return "assistant" if params.assistant_only_loss else "all"


def example(content: Content, sides: list[Tokens]) -> dict[str, Any]:
    """The columns that SFTTrainer reads of a row."""
    [tokens] = sides
    return {"input_ids": tokens.ids, "labels": tokens.labels}


def check(given: Given, params: Distill) -> None:
    """Compares the tokens that student and teacher make of every row.

    Raises:
        UserError: they differ, in the vocabulary or in a row.
    """
    from transformers import AutoTokenizer

    teachers = AutoTokenizer.from_pretrained(given.second_model)
    for kept in (given.kept, given.held_out):
        check_tokens(kept, given.tokenizer, teachers, given.second_model)


def trainer(
    params: Distill, arguments: dict[str, Any], model: Any, second_model: Path, processing_class: Any, **parts: Any
) -> Any:
    """The TRL trainer; `parts` are datasets and peft_config."""
    import torch
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer
    from trl.experimental.gkd import GKDTrainer

    dtype = "bfloat16" if arguments["bf16"] else "float32"
    teacher = AutoModelForCausalLM.from_pretrained(
        second_model, dtype=dtype, device_map=model.device, use_safetensors=True
    ).eval()

    class DistillingTrainer(SFTTrainer):
        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            labels = inputs["labels"][:, 1:]  # (B, T)
            seen = labels != -100
            places = seen.any(0).nonzero().flatten()  # of the sequence: no logits are computed elsewhere
            rows = {name: inputs[name] for name in ("input_ids", "attention_mask")}
            rows |= {"use_cache": False, "logits_to_keep": places}
            said = model(**rows).logits[seen[:, places]]  # (N, V)
            with torch.no_grad():
                taught = teacher(**rows).logits[seen[:, places]]
            n_tokens = seen.sum() if num_items_in_batch is None else num_items_in_batch
            n_shared = min(said.shape[-1], taught.shape[-1])  # vocabularies may be padded to other sizes
            divergence = GKDTrainer.generalized_jsd_loss(
                said[:, :n_shared].float(), taught[:, :n_shared].float(),
                beta=params.beta, temperature=params.temperature, num_items_in_batch=n_tokens,
            )  # fmt: skip
            own = torch.nn.functional.cross_entropy(said.float(), labels[seen], reduction="sum") / n_tokens
            mode = "train" if self.model.training else "eval"
            for name, part in {"divergence": divergence, "nll_loss": own}.items():
                self._metrics[mode][name].append(self.accelerator.gather(part.detach()).sum().item())
            mixed = params.alpha * divergence + (1 - params.alpha) * own
            if num_items_in_batch is not None:  # of all processes, over which the gradient is averaged
                mixed = mixed * self.accelerator.num_processes
            return (mixed, {"logits": said}) if return_outputs else mixed

    config = SFTConfig(
        **arguments,
        max_length=None,  # rows are cut before
        dataset_kwargs={"skip_prepare_dataset": True},
        train_sampling_strategy="group_by_length",
        packing=False,
    )
    return consumed_rows.recording_trainer(DistillingTrainer)(
        args=config, model=model, processing_class=processing_class, **parts
    )


def check_tokens(kept: Kept, student: Any, teacher: Any, folder: Path) -> None:
    """Compares the tokens that student and teacher make of the rows of a file.

    Raises:
        UserError: they differ, in the vocabulary or in a row.
    """
    ours, theirs = student.get_vocab(), teacher.get_vocab()
    if others := [token for token in sorted({*ours, *theirs}) if ours.get(token) != theirs.get(token)]:
        raise UserError(
            f"second_model = {str(folder)!r}: {len(others)} tokens have another id than the student's, first "
            f"{others[0]!r}: {theirs.get(others[0])} and {ours.get(others[0])}: want a teacher with the same "
            "tokenizer; or let it answer (augment), and train on that with sft"
        )
    for row, [tokens] in zip(kept.rows, kept.sides, strict=True):
        ids = tokens.ids
        text = chat_template.render(teacher, row.content.messages, row.content.tools).text
        read = teacher(text, add_special_tokens=False)["input_ids"][: len(ids)]
        if read != ids:
            place = next((n for n, pair in enumerate(zip(read, ids, strict=False)) if pair[0] != pair[1]), len(read))
            raise UserError(
                f"second_model = {str(folder)!r}: its chat template writes {teacher.decode(read[place:])[:40]!r} where "
                f"the student's writes {student.decode(ids[place:])[:40]!r}: want a teacher with the same template"
            )
