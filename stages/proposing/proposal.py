"""The recipe that is proposed for a survey: one decision a value, each with its reason."""

import glob
import math
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from modelmake.errors import UserError
from stages.params.training import Cpt, Dpo, Kto, Sft
from stages.proposing import answers, file_rule
from stages.proposing.lengths import Lengths
from stages.proposing.splits import Plan, rows_under
from stages.proposing.survey import TOLERATED, Survey
from stages.reading import ratings
from stages.reporting.formatting import count
from stages.rows import parts
from stages.rows.row import Row
from stages.rows.texts import characters

STEPS = {"text": "cpt", "chat": "sft", "pair": "dpo", "judged": "kto"}  # kind of rows -> step, in the order of training
METHODS: dict[str, Any] = {"text": Cpt, "chat": Sft, "pair": Dpo, "judged": Kto}
OWN: dict[str, dict[str, Any]] = {  # what a method has beyond sft, where the recipe below has no such step
    "text": {"packing": False},
    "pair": {"beta": 0.1, "loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 1.0]},
    "judged": {"beta": 0.1, "desirable_weight": 1.0, "undesirable_weight": 1.0},
}
TRAINING_TOKENS = 2_500_000  # of a tiny model's sft: some four minutes on one core
TOKENS_A_MINUTE = 600_000  # measured: a tiny model of 0.6 million parameters trains on 10,000 a second
MAX_EPOCHS = 5
ADAPTER_RATES = {"text": 1e-4, "chat": 2e-4, "pair": 5e-6, "judged": 5e-6}  # customary ones: docs/plan.md
MOST_LOST = 0.5  # share of them that is not proposed to be allowed
LORA = {
    "kind": "lora",
    "r": 16,
    "lora_alpha": 32,
    "lora_dropout": 0.05,
    "target_modules": "all-linear",
    "use_dora": False,
    "use_rslora": False,
    "init_lora_weights": True,
    "layers_to_transform": None,
    "modules_to_save": [],
    "trainable_token_indices": [],
    "loraplus_lr_ratio": None,
}


class Decision(NamedTuple):
    """A value of `params.yaml`."""

    where: str  # path with dots
    value: Any
    reason: str = ""  # "": follows from the others


class Below(NamedTuple):
    """What the recipe below says."""

    named: bool  # it was named: it decides how much is computed
    steps: dict[str, Any]  # `train`
    weights: dict[str, Any]  # of good and bad answers, for kto
    max_chars: int  # of a row, in `clean`
    max_rejected: float  # share of unusable records


class Base(NamedTuple):
    """The model to start from."""

    section: dict[str, Any]  # `base` in params.yaml, or its kind alone for a tiny one
    reason: str
    context_tokens: int  # most that it reads
    marked: bool  # its chat template marks what the assistant says


def propose(survey: Survey, plan: Plan, split_of: Callable[[Row, Plan], str], base: Base, lengths: Lengths,
            below: Below, name: str) -> list[Decision]:  # fmt: skip
    """All decisions, in the order of `params.yaml`.

    Args:
        split_of: the split of a row under a plan.
        name: of the data.
    """
    rows = list(rows_under(plan, survey))
    counts = Counter((split_of(row, plan), row.kind) for row in rows)
    kinds = [kind for kind in STEPS if counts["train", kind]]
    suite = next(kind for kind in ("chat", "pair", "text") if counts["test", kind])
    expected = [message for row in rows if row.kind == suite for message in parts.split(row.content).answer]
    form = answers.form([message.content for message in expected], sum(bool(m.tool_calls) for m in expected))
    last = STEPS[kinds[-1]]
    return [
        *of_ingest(survey, plan, below.max_rejected),
        *_clean(rows, form, lengths, below),
        Decision("split.test_fraction", plan.test_fraction, plan.reason),
        Decision("split.val_fraction", plan.val_fraction),
        Decision("split.val_from_train", plan.val_from_train),
        Decision("mix.sources.all.synthetic", None, "not declared"),
        *_base(base, lengths, below),
        *_train(kinds, counts, base, lengths, below),
        *_suites(suite, counts, form, lengths, below),
        Decision("evaluate.models", ["base", *(STEPS[kind] for kind in kinds)]),
        Decision("evaluate.suites", [suite, *(["text"] if suite != "text" and counts["test", "text"] else [])]),
        *_gates(suite, counts, form, last),
        Decision("quantize.Q8_0.from", last),
        Decision("answer_quantized.Q8_0.context_tokens", lengths.context_tokens),
        Decision("parity.Q8_0.max_difference", 0.02),
        Decision("parity.Q8_0.min_same_answers", 0.8),
        *_card(survey, rows, last, name),
    ]


def of_ingest(survey: Survey, plan: Plan, max_rejected: float) -> list[Decision]:
    """The decisions about files and their records.

    Args:
        max_rejected: share of unusable records that the recipe below allows.

    Raises:
        UserError: most records are unusable, and the recipe does not allow it.
    """
    rules, reasons = [], []
    for file in survey.files:
        rule = file_rule.complete(file.rule)
        if rule["ignore"] and not file.given:
            reasons.append(f"{file.name}: nothing reads {', '.join(rule['ignore'])}")
        for path, n in file.more.items():
            reasons.append(f"{file.name}: {n:,} records have more of {path} than the first, which is in no row")
        reasons += [f"{file.name}: {note}" for note in file.notes]
        rules.append({"glob": glob.escape(file.name), **rule})
    reasons += [f"{name}: left out: {why}" for name, why in survey.left_out.items()]
    decisions = []
    if survey.left_out or any(file.rule and not file.given for file in survey.files):
        decisions.append(Decision("ingest.files", rules, "\n".join(reasons)))
    records, lost = sum(f.records for f in survey.files), sum((f.rejected for f in survey.files), Counter[str]())
    lost -= Counter({reason: lost[reason] for reason in ratings.EXPECTED_REASONS})  # ingest does not count these
    share = math.ceil(1000 * lost.total() / records) / 1000
    told = ", ".join(f"{n} {reason}" for reason, n in lost.items())
    reason = f"{lost.total()} of {records} records are unusable ({told}): look with `modelmake check`"
    if share > max(MOST_LOST, max_rejected):
        allowed = f"`ingest: {{max_rejected_fraction: {share}}}`"
        raise UserError(f"{reason}; want most of them usable: mend them, name the other files only, or allow it in a "
                        f"recipe of yours: {allowed}")  # fmt: skip
    if lost:
        reason = reason if share <= TOLERATED else f"{share:.1%} of the records will be in no row: {reason}"
        decisions.append(Decision("ingest.max_rejected_fraction", max(share, TOLERATED, max_rejected), reason))
    if any(file.formats["document"] for file in survey.files):
        reason = "documents become texts, their headings questions"
        decisions.append(Decision("ingest.documents", msgspec.to_builtins(file_rule.DOCUMENTS), reason))
    return [*decisions, *([] if plan.given else [Decision("ingest.splits", "none", plan.reason)])]


def _clean(rows: list[Row], form: answers.Form, lengths: Lengths, below: Below) -> list[Decision]:
    longest = max(characters(row.content) for row in rows)
    decisions = [Decision("clean.labels", form.labels)]
    if lengths.max_chars is not None:
        decisions.insert(0, Decision("clean.max_chars", lengths.max_chars, lengths.reason))
    elif longest > 0.9 * below.max_chars:
        limit = math.ceil(longest * 1.2 / 1000) * 1000
        decisions.insert(0, Decision("clean.max_chars", limit, f"the longest row has {longest:,} characters"))
    return decisions


def _base(base: Base, lengths: Lengths, below: Below) -> list[Decision]:
    if base.section["kind"] != "tiny":
        return [Decision("base", base.section, base.reason)]
    kind, characters = lengths.source
    blocks = min(128, 2 ** max(3, int(math.log2(max(8, characters / 64)))))  # tokens; a short text has short blocks
    return [
        Decision("base.source", f"data/mixed/{kind}.jsonl", base.reason),
        *([] if below.named else [Decision("base.vocab_size", lengths.vocab_size)]),
        Decision("base.max_position_embeddings", lengths.context_tokens, lengths.reason),
        Decision("base.block_tokens", min(blocks, lengths.context_tokens)),
    ]


def _train(kinds: list[str], counts: Counter, base: Base, lengths: Lengths, below: Below) -> list[Decision]:
    decisions, start = [], "base"
    like = below.steps.get("sft") or next(iter(below.steps.values()))
    for kind in kinds:
        name, rows = STEPS[kind], counts["train", kind]
        known = below.steps.get(name)
        method = METHODS[kind]
        step = known or {**OWN.get(kind, {}), **{field: like[field] for field in _fields(method) if field in like}}
        wanted = {"method": method.__struct_config__.tag, "from": start, "max_length": lengths.max_length}
        if kind == "judged":
            wanted |= below.weights
        if method is Sft:
            wanted["assistant_only_loss"] = base.marked
        if not below.named:
            wanted |= _sizes(kind, rows, base, lengths)
        reason, told = f"{rows:,} rows of kind {kind} to train on", {}
        if not below.named and base.section["kind"] == "tiny":
            tokens = int(rows * lengths.mean_tokens[kind] * wanted["num_train_epochs"])
            minutes = count(max(1, round(tokens / TOKENS_A_MINUTE)), "minutes")
            told["num_train_epochs"] = f"{tokens:,} tokens, about {minutes} on one core"
        if kind == "chat" and not base.marked:
            reason += "; the loss sees questions too, as the chat template marks no answers: docs/models.md"
        decisions.append(Decision(f"train.{name}.rows", kind, reason))
        values = step | wanted
        if not method.DROPOUT and values["weights"].get("lora_dropout"):
            values["weights"] = {**values["weights"], "lora_dropout": 0.0}
            told["weights"] = f"{wanted['method']} trains without dropout"
        for field, value in values.items():
            if field in told or (field != "rows" and not (known and field in known and known[field] == value)):
                decisions.append(Decision(f"train.{name}.{field}", value, told.get(field, "")))
        start = name
    return decisions


def _sizes(kind: str, rows: int, base: Base, lengths: Lengths) -> dict[str, Any]:
    """How much a step trains: minutes, for a tiny model on two cores."""
    batch = 16 if rows >= 500 else 8
    if base.section["kind"] == "tiny":
        budget = TRAINING_TOKENS if kind == "chat" else TRAINING_TOKENS / 3
        epochs = float(f"{min(MAX_EPOCHS, budget / max(1, lengths.mean_tokens[kind] * rows)):.1g}")
        chosen = {"num_train_epochs": epochs, "learning_rate": 0.001}
    else:
        epochs, chosen = 1.0, {"num_train_epochs": 1, "learning_rate": ADAPTER_RATES[kind], "weights": LORA}
    steps = max(1, int(rows * epochs / batch))
    return {
        **chosen, "per_device_train_batch_size": batch, "warmup_steps": min(20, steps // 10),
        "logging_steps": max(1, min(50, steps // 10)), "eval_steps": max(1, min(200, steps // 3)),
    }  # fmt: skip


def _fields(method: Any) -> list[str]:
    return [{"from_": "from"}.get(name, name) for name in method.__struct_fields__]


def _suites(suite: str, counts: Counter, form: answers.Form, lengths: Lengths, below: Below) -> list[Decision]:
    sizes = {} if below.named and suite == "chat" else {"max_new_tokens": lengths.new_tokens, "batch_size": 64}
    decisions = [Decision(f"answer.{suite}.{field}", value) for field, value in {"kind": "greedy", **sizes}.items()]
    texts = counts["test", "text"] if suite != "text" else 0
    if texts:
        reading = {"kind": "likelihood", "batch_size": 16, "context_tokens": lengths.context_tokens}
        decisions.append(Decision("answer.text", reading))
    fields = {
        "rows": suite, "metrics": form.metrics, "label": form.label, "slots": list(form.slots),
        "answer_schema": form.answer_schema,
    }  # fmt: skip
    decisions += [Decision(f"suites.{suite}.{field}", value, form.reason if field == "metrics" else "")
                  for field, value in fields.items()]  # fmt: skip
    if texts:
        scoring = {"rows": "text", "metrics": ["bits_per_byte", "perplexity", "token_accuracy"]}
        decisions.append(Decision("suites.text", scoring, f"{texts:,} held-out texts"))
    return decisions


def _gates(suite: str, counts: Counter, form: answers.Form, last: str) -> list[Decision]:
    rows = counts["test", suite]
    gate = {"model": last, "metric": form.main, "against": "base", "bound": 0.01, "where": None}
    decisions = [
        Decision("compare.suite", suite),
        Decision(f"compare.gates.{last}_improves", gate, f"{last} has to be better than base; raise it once you know"),
    ]
    if rows < 150:
        least = max(1, rows // 2)
        decisions.insert(1, Decision("compare.min_rows", least, f"{rows} held-out rows: intervals will be wide"))
    return decisions


def _card(survey: Survey, rows: list[Row], last: str, name: str) -> list[Decision]:
    names = ", ".join(file.name for file in survey.files[:3]) + (", …" if len(survey.files) > 3 else "")
    return [
        Decision("datasheet.license", None, "not declared: you know whether the files may be used, and how"),
        Decision("card.model", last),
        Decision("card.name", f"{name}-tiny"),
        Decision("card.license", None),
        Decision("card.language", None),
        Decision("card.description", f"Trained on {len(rows):,} rows of {names}."),
        Decision("report.title", name),
    ]
