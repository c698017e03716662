"""Faults of code, as patches: what libraries have done, or would do after an upgrade."""

from typing import Any

from benchmarks.twin_cases.case import LORA, Case
from stages import merge
from stages.evaluating.runtimes import llama_cpp
from stages.exporting import gguf_tokenizer, gguf_writer
from stages.training import kept_rows, row_renderer, tokens, trainers
from stages.training.methods import cpt, dpo, kto, sft

ADAPTER = {"dpo": {"from": "base", "weights": LORA}}
PACKED = {"cpt": {"packing": True}}
DORA = {"dpo": {"from": "base", "weights": {**LORA, "use_dora": True}}}
METHODS = "stages.training.methods"
TRAINER = "transformers.trainer.Trainer"


def unscaled() -> Any:
    from peft.tuners.lora.layer import Linear

    own = Linear.get_delta_weight
    return lambda self, name: own(self, name) / self.scaling[name]


def without_magnitude() -> Any:
    return lambda module, active_adapter, orig_weight: orig_weight + module.get_delta_weight(active_adapter)


def of_batches(change: Any) -> Any:
    """TRL's collator for SFT, with `change` made to its batches."""
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    own = DataCollatorForLanguageModeling.torch_call
    return lambda self, examples: change(own(self, examples))


def leak(batch: dict[str, Any]) -> dict[str, Any]:
    """All rows of the batch in one, which attend to each other."""
    seen = batch["attention_mask"].bool()
    packed = {name: batch[name][seen][None] for name in ("input_ids", "labels", "attention_mask")}
    return {**batch, **packed}


def mask_end(batch: dict[str, Any]) -> dict[str, Any]:
    """Labels masked by the padding token, which is the end token."""
    return {**batch, "labels": batch["labels"].masked_fill(batch["input_ids"] == 4, -100)}


def attend_to_padding(batch: dict[str, Any]) -> dict[str, Any]:
    """Padded on the left, and attended to."""
    import torch

    width = batch["input_ids"].shape[1]
    order = batch["attention_mask"].argsort(dim=1, stable=True)  # padding first
    moved = {name: torch.gather(batch[name], 1, order) for name in ("input_ids", "labels")}
    return {**batch, **moved, "attention_mask": torch.ones(len(order), width, dtype=torch.long)}


def not_a_number(method: Any) -> Any:
    """A loss that is no number where a batch has a token."""

    def compute_loss(self: Any, model: Any, inputs: Any, *more: Any, **settings: Any) -> Any:
        loss = method(self, model, inputs, *more, **settings)
        loss = (loss[0] * float("nan"), *loss[1:]) if isinstance(loss, tuple) else loss * float("nan")
        return loss

    return compute_loss


def sft_loss() -> Any:
    from trl import SFTTrainer

    return SFTTrainer.compute_loss


def forgets_tokens(method: Any) -> Any:
    """Means of micro-batches are averaged, whatever their numbers of tokens."""
    return lambda self, *arguments: (method(self, *arguments)[0], None)


def get_batch_samples() -> Any:
    from transformers import Trainer

    return Trainer.get_batch_samples


OWN = {
    "sft": sft.example, "dpo": dpo.example, "kto": kto.example, "dataset": kept_rows.Kept.dataset,
    "arguments": trainers.arguments, "prompts": llama_cpp.prompts, "ends": gguf_tokenizer._end_ids,
    "around": gguf_tokenizer._added_around, "templates": gguf_tokenizer._chat_templates, "tokens": tokens._tokens,
    "span": row_renderer.RowRenderer._trained_span, "quantized": gguf_writer._quantized, "merge": merge.merge,
    "rope": gguf_writer._rope, "blocks": cpt.blocks,
}  # fmt: skip


def packed_as_one(dataset: Any, params: Any) -> Any:
    """Blocks whose positions go on from row to row, so that rows attend to those before them."""
    blocks = OWN["blocks"](dataset, params)
    return blocks.map(lambda block: {"position_ids": list(range(len(block["input_ids"])))})


def without_last(dataset: Any, params: Any) -> Any:
    """Blocks that lose their end."""
    return OWN["blocks"](dataset, params).map(
        lambda block: {name: block[name][:-5] for name in ("input_ids", "position_ids", "labels")}
    )


def cut(example: dict[str, Any]) -> dict[str, Any]:
    return {name: ids[:-6] for name, ids in example.items()}


def shifted(example: dict[str, Any]) -> dict[str, Any]:
    return {**example, "labels": [*example["labels"][1:], -100]}


def swapped(example: dict[str, Any]) -> dict[str, Any]:
    return {**example, "chosen_ids": example["rejected_ids"], "rejected_ids": example["chosen_ids"]}


def endless(example: dict[str, Any]) -> dict[str, Any]:
    return {**example, "chosen_ids": example["chosen_ids"][:-1], "rejected_ids": example["rejected_ids"][:-1]}


def no_permutation(name: str, source: Any, qtype: Any, config: dict) -> Any:
    return OWN["quantized"](name, source, qtype, {**config, "model_type": "none"})


def unpermuted_ends(model: Any, config: dict, eos: int | None) -> list[int]:
    return [0]


TRAINING = [
    Case("rows cut in silence", "loss", patches=((f"{METHODS}.sft.example", lambda c, s: cut(OWN["sft"](c, s))),)),
    Case("labels moved by one", "loss", patches=((f"{METHODS}.sft.example", lambda c, s: shifted(OWN["sft"](c, s))),)),
    Case("packed texts attend to each other", "loss", steps=PACKED,
         patches=((f"{METHODS}.cpt.blocks", packed_as_one),)),
    Case("packed blocks cut", "loss", steps=PACKED, patches=((f"{METHODS}.cpt.blocks", without_last),)),
    Case("row dropped in silence", "rows", patches=(("stages.training.kept_rows.Kept.dataset", lambda kept, example: (
        data := OWN["dataset"](kept, example)) and data.select(range(1, len(data)))),)),
    Case("words of the user trained", "mask", patches=(("stages.training.row_renderer.RowRenderer._trained_span",
         lambda self, text, block, lead: (max(0, block[0] - 40), OWN["span"](self, text, block, lead)[1])),)),
    Case("answers and rejections swapped", "loss", steps=ADAPTER,
         patches=((f"{METHODS}.dpo.example", lambda c, s: swapped(OWN["dpo"](c, s))),)),
    Case("end of preferred answers cut", "loss", steps=ADAPTER,
         patches=((f"{METHODS}.dpo.example", lambda c, s: endless(OWN["dpo"](c, s))),)),
    Case("judgement turned round", "loss", steps={"kto": {}}, patches=((f"{METHODS}.kto.example",
         lambda c, s: {**OWN["kto"](c, s), "label": not c.good}),)),
    Case("nothing is trained", "update", patches=(("stages.training.trainers.arguments",
         lambda *a: {**OWN["arguments"](*a), "learning_rate": 0.0}),)),
]  # fmt: skip
SERVING = [
    Case("served template is another", "served prompt", quants=("Q8_0",), patches=(
        ("stages.exporting.gguf_tokenizer._chat_templates", lambda *a: {
            name: text.replace("<|assistant|>", "<|assistant|>\n") for name, text in OWN["templates"](*a).items()}),)),
    Case("begin token added when served", "served prompt", quants=("Q8_0",), patches=(
        ("stages.exporting.gguf_tokenizer._added_around", lambda *a: (["<|bos|>"], [])),
        ("stages.exporting.gguf_tokenizer._check_template", lambda *a: None))),
    Case("served file stops at another token", "served stop", quants=("Q8_0",),
         patches=(("stages.exporting.gguf_tokenizer._end_ids", unpermuted_ends),)),
    Case("served file has other weights", "served model", quants=("Q8_0",),
         patches=(("stages.exporting.gguf_writer._quantized", no_permutation),)),
    Case("served file turns otherwise", "served model", quants=("Q8_0",), patches=(
        ("stages.exporting.gguf_writer._rope", lambda config: {**OWN["rope"](config), "rope_theta": 100.0}),)),
]  # fmt: skip


def libraries() -> list[Case]:
    """Those whose patches import torch."""
    collator = "trl.trainer.sft_trainer.DataCollatorForLanguageModeling.torch_call"
    return [
        Case("packing leak", "loss", patches=((collator, of_batches(leak)),)),
        Case("wrong padding token", "loss", patches=((collator, of_batches(mask_end)),)),
        Case("padding attended to", "loss", patches=((collator, of_batches(attend_to_padding)),)),
        Case("loss is no number", "train", patches=(("trl.SFTTrainer.compute_loss", not_a_number(sft_loss())),)),
        Case("means of micro-batches averaged", "loss",
             patches=((f"{TRAINER}.get_batch_samples", forgets_tokens(get_batch_samples())),)),
        Case("optimizer lost on resume", "resume",
             patches=((f"{TRAINER}._load_optimizer_and_scheduler", lambda self, checkpoint: None),)),
        Case("unscaled adapter", "merge", steps=ADAPTER,
             patches=(("peft.tuners.lora.layer.Linear.get_delta_weight", unscaled()),)),
        Case("lost magnitude", "merge", steps=DORA, patches=(
            ("peft.tuners.lora.variants.DoraLinearVariant.merge_safe", staticmethod(without_magnitude())),)),
        Case("adapter lost when merged", "merge", steps=ADAPTER,
             patches=(("stages.merge.merge", lambda model, adapter: (model, 0)),)),
    ]  # fmt: skip
