"""Preflight tells everything that params and code can tell, a line each, and writes a key for every stage."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelmake import params
from stages import preflight

ROOT = Path(__file__).parents[1]
COPIED = (
    "modelmake", "stages", "envs", "dvc.yaml", "params.yaml", "uv.lock", ".python-version", "data/raw",
    "data/golden.jsonl", "data/evaluations", "recipes",
)  # fmt: skip
STAGES = """
ingest clean dedup split augment mix datasheet base train.sft train.dpo merge.sft merge.dpo evaluate.base-chat
evaluate.sft-chat
evaluate.dpo-chat compare plots calibrate.Q8_0 quantize.Q8_0 parity.Q8_0 card report
"""
NF4 = {
    "load_in_4bit": True,
    "bnb_4bit_quant_type": "nf4",
    "bnb_4bit_use_double_quant": True,
    "bnb_4bit_compute_dtype": "float32",
}
AWQ = {"tool": "llmcompressor", "from": "dpo", "max_seq_length": 256, "device": "cpu"}
ANY_ANSWERS = {"max_difference": 1.0, "min_same_answers": None}
SEMANTIC = {"threshold": 0.95, "neighbours": 16, "max_tokens": 256, "batch_size": 32}
Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in (*COPIED, ".dvc/config"):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


TEXT = {"rows": "text", "batch_size": 1, "context_tokens": 512, "metrics": ["bits_per_byte"]}


def measure_texts(values: dict[str, Any], metric: str) -> None:
    """Adds a suite of texts, and a gate's metric."""
    values["suites"]["text"] = TEXT
    values["evaluate"]["suites"].append("text")
    values["compare"]["gates"]["sft_answers"]["metric"] = metric


def run(project: Path) -> tuple[int, str, list[str]]:
    """Exit code, stdout, lines of stderr."""
    command = [sys.executable, "-m", "stages.preflight", "--keys", "keys"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr.splitlines()


def edit(project: Path, change: Edit) -> None:
    """Edits the params; JSON is YAML."""
    values = params.load(project / "params.yaml")
    change(values)
    (project / "params.yaml").write_text(json.dumps(values))


def told(project: Path, change: Edit) -> list[str]:
    edit(project, change)
    code, out, lines = run(project)
    assert (code, out) == (1, "")
    assert not (project / "keys").exists()
    return lines


def test_a_right_project_gets_a_key_for_every_stage(project: Path) -> None:
    assert run(project) == (0, "preflight: params.yaml holds; 22 keys\n", [])
    assert {path.name for path in (project / "keys").iterdir()} == {
        f"{name}.json" for name in [*STAGES.split(), "graph"]
    }
    assert not list(project.glob(".*.partial"))


def test_a_suite_of_texts_is_evaluated_for_every_model_and_its_metrics_can_be_gated(project: Path) -> None:
    edit(project, lambda values: measure_texts(values, "text.bits_per_byte"))

    code, _, lines = run(project)

    assert (code, lines) == (0, [])
    assert {f"evaluate.{model}-text.json" for model in ("base", "sft", "dpo")} <= {
        path.name for path in (project / "keys").iterdir()
    }


def test_a_removed_item_takes_its_key_with_it_and_other_keys_stay_byte_for_byte(project: Path) -> None:
    run(project)
    before = {path.name: path.read_bytes() for path in (project / "keys").iterdir()}

    edit(project, lambda values: values["evaluate"].update(models=["base", "sft", "dpo"], suites=["chat"]))
    edit(project, lambda values: values["train"].update(third={**values["train"]["sft"], "seed": 7}))
    run(project)

    after = {path.name: path.read_bytes() for path in (project / "keys").iterdir()}
    assert before.pop("graph.json") != after.pop("graph.json")
    assert after.keys() - before.keys() == {"train.third.json", "merge.third.json"}
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda v: v["train"]["sft"].update(learning_rat=1),
         "train.sft.learning_rat: unknown key; did you mean learning_rate?"),
        (lambda v: v.update(trian={}), f"trian: unknown section; want one of {', '.join(preflight.CHAPTERS)}"),
        (lambda v: v.pop("report"), "report: missing; want this section"),
        (lambda v: v["train"]["dpo"].update({"from": "stf"}),
         "train.dpo.from = 'stf': no such step: want one of base, sft"),
        (lambda v: v["train"]["sft"].update({"from": "dpo"}),
         "train: dpo from sft from dpo: steps in a circle; start one from base"),
        (lambda v: v["train"]["sft"].update({"from": "sft"}),
         "train: sft from sft: steps in a circle; start one from base"),
        (lambda v: v["train"].update({"x; touch y": v["train"]["sft"]}),
         "train: name 'x; touch y': want only letters, digits and _ ([A-Za-z0-9_]+); rename it"),
        (lambda v: v["train"].update(Upper=v["train"]["sft"]), "train: name 'Upper': want [a-z0-9_]+; rename it"),
        (lambda v: v["train"].update(base=v["train"]["sft"]),
         "train: name 'base': is taken in models/; rename the step"),
        (lambda v: v["ingest"].update(raw="data/row"),
         "ingest.raw = 'data/row': no such file or folder; put raw data there"),
        (lambda v: v["ingest"].update(raw="data/empty"),
         "ingest.raw = 'data/empty': an empty folder; put raw data there"),
        (lambda v: v["evaluate"]["models"].append("sftt"), "evaluate.models = 'sftt': want one of base, dpo, sft"),
        (lambda v: v["evaluate"]["suites"].append("chta"), "evaluate.suites = 'chta': want one of chat"),
        (lambda v: v["compare"]["gates"]["sft_answers"].update(metric="bleu"),
         "compare.gates.sft_answers.metric = 'bleu': want one of compact, exact_match, label_accuracy, schema, "
         "slot_f1.product, slot_f1.urgency, valid_json"),
        (lambda v: v["compare"]["gates"]["sft_answers"].update(against="none"),
         "compare.gates.sft_answers.against = 'none': want one of base, dpo, sft"),
        (lambda v: v["compare"].update(baseline="bse"), "compare.baseline = 'bse': want one of base, dpo, sft"),
        (lambda v: [v[section].update(Q4_K_M=v[section]["Q8_0"]) for section in ("quantize", "parity")],
         "quantize: name 'Q4_K_M': want one of F32, F16, Q8_0, Q5_0, Q4_0 with tool = gguf"),
        (lambda v: v["quantize"].update(Q8_0={"tool": "llama_cpp", "from": "dpo", "calibration": None}),
         "quantize: name 'Q8_0': want one of Q6_K, Q5_K_M, Q4_K_M, Q3_K_M with tool = llama_cpp"),
        (lambda v: v["quantize"]["Q8_0"].update(calibration={"rows": "chat", "num_calibration_samples": 8}),
         "quantize.Q8_0.calibration = {'rows': 'chat', 'num_calibration_samples': 8}: want null, got a section"),
        (lambda v: v["quantize"].update(awq=AWQ | {"calibration": None}),
         "quantize.awq.calibration = None: want a section of its own, got nothing"),
        (lambda v: v["quantize"]["Q8_0"].update({"from": "dop"}),
         "quantize.Q8_0.from = 'dop': want one of base, dpo, sft"),
        (lambda v: v["quantize"].update(F16=v["quantize"]["Q8_0"]),
         "parity.F16: missing; say how far quantize.F16 may be from its model"),
        (lambda v: v["parity"].update(F16=v["parity"]["Q8_0"]),
         "parity.F16: no such entry of quantize; want one of Q8_0"),
        (lambda v: v["parity"].update(Q8_0={"runtime": "compressed_tensors"} | ANY_ANSWERS),
         "parity.Q8_0.runtime = 'compressed_tensors': want llama_cpp for what gguf writes"),
        (lambda v: v["train"]["sft"].update(quantization=NF4),
         "train.sft.quantization: want null where lora is null: 4-bit weights cannot be trained; give it a lora"),
        (lambda v: v["train"]["dpo"].update(quantization=NF4 | {"load_in_4bit": False}),
         "train.dpo.quantization.load_in_4bit = False: want true; or write `quantization: null`"),
        (lambda v: v.update(base={"kind": "folder", "source": "data", "chat_template": "{{ messages }}"}),
         "train.sft.assistant_only_loss = True: the chat template of base has no {% generation %} around what the "
         "assistant says: want it there, end token included; write such a template into base.chat_template (see "
         "docs/models.md), or false"),
        (lambda v: v.update(quantize={}, parity={}), "quantize: is empty: want at least one entry"),
        (lambda v: v["card"].update(model="dop"), "card.model = 'dop': want one of base, dpo, sft"),
        (lambda v: v["suites"]["chat"].update(batch_size="x"),
         "suites.chat.batch_size = 'x': want a whole number, got text"),
        (lambda v: v.update(base={"kind": "folder", "source": "gone", "chat_template": None}),
         "base.source = 'gone': no such file or folder"),
        (lambda v: v["machine"].update(device="gpu"), "machine.device = 'gpu': want one of cpu, cuda"),
        (lambda v: v["machine"].update(device="cuda"),
         "resources.model.gpu = 0: want 1 or more with machine.device = 'cuda'"),
        (lambda v: v["resources"]["model"].update(gpu=1),
         "resources.model.gpu = 1: want 0 with machine.device = 'cpu'"),
        (lambda v: v["suites"]["chat"]["metrics"].append("bleu"),
         "suites.chat.metrics[6] = 'bleu': want one of exact_match, final_number, valid_json, schema, slot_f1, "
         "label_accuracy, compact"),
        (lambda v: v["suites"]["chat"].update(label=None),
         "suites.chat.label = null: want a value: label_accuracy needs it"),
        (lambda v: v["suites"]["chat"].update(answer_schema=None),
         "suites.chat.answer_schema = null: want a value: schema needs it"),
        (lambda v: v["suites"]["chat"]["answer_schema"].update(required="product"),
         "suites.chat.answer_schema.required: 'product' is not of type 'array'"),
        (lambda v: v["suites"]["chat"].pop("rows"), "suites.chat.rows = None: want one of chat, text"),
        (lambda v: v["suites"].update(text={**TEXT, "metrics": ["exact_match"]}),
         "suites.text.metrics[0] = 'exact_match': want one of bits_per_byte, token_accuracy"),
        (lambda v: measure_texts(v, "bits_per_byte"),
         "compare.gates.sft_answers.metric = 'bits_per_byte': want one of compact, exact_match, label_accuracy, "
         "schema, slot_f1.product, slot_f1.urgency, text.bits_per_byte, valid_json"),
        (lambda v: v["ingest"].update(documents={"max_chars": 0, "headings": True}),
         "ingest.documents.max_chars = 0: expected `int` >= 1"),
        (lambda v: v["ingest"].update(documents={"max_chars": 2001, "headings": True}),
         "ingest.documents.max_chars = 2001: want at most clean.max_chars = 2000: longer pieces would be dropped"),
        (lambda v: v["clean"].update(pii=["email"]), "clean.pii = ['email']: want a section of its own, got a list"),
        (lambda v: v["clean"]["pii"].update(drop=["mail"]),
         "clean.pii.drop[0] = 'mail': want one of api_key, iban, national_id, card, email, ip, phone, person, "
         "location"),
        (lambda v: v["clean"]["pii"].update(report=["email"]),
         "clean.pii.email: is named 2 times: want one action for it"),
        (lambda v: v["clean"]["pii"].update(report=["national_id"]),
         "clean.pii.countries: is empty: want the countries whose national_id to look for, such as [US, DE]"),
        (lambda v: v["clean"]["pii"].update(report=["person"]), "clean.pii.person: wants presidio with a model"),
        (lambda v: v["clean"]["pii"].update(presidio={"language": "en", "model": "big", "min_score": 0.5}),
         "clean.pii.presidio.model = 'big': want name==version, such as en_core_web_lg==3.8.0"),
        (lambda v: v["clean"].update(languages={"allowed": ["eng"], "min_letters": 20, "min_probability": 0.9}),
         "clean.languages.allowed: 'eng': want a code of ISO 639-1, such as en"),
        (lambda v: v["clean"].update(languages={"allowed": [], "min_letters": 20, "min_probability": 0.9}),
         "clean.languages.allowed: is empty: want a language, or write languages: null"),
        (lambda v: v["clean"].update(tokenizer="gone"),
         "clean.tokenizer = 'gone': no such file or folder; for none, write recipes/no_tokenizer.json"),
        (lambda v: v["clean"].update(max_tokens=9),
         "clean.tokenizer = 'recipes/no_tokenizer.json': want a model's folder with max_tokens = 9, or "
         "max_tokens: null"),
        (lambda v: v["clean"].update(tokenizer="models/base"),
         "clean.tokenizer = 'models/base': a tiny base is made of the rows that clean gives: want another model's "
         "folder, or recipes/no_tokenizer.json"),
        (lambda v: v["dedup"].update(encoder="gone"),
         "dedup.encoder = 'gone': no such file or folder; for none, write recipes/no_encoder.json"),
        (lambda v: v["dedup"].update(encoder="models/base"),
         "dedup.encoder = 'models/base': a tiny base is made of the rows that dedup gives: want another model's "
         "folder, or recipes/no_encoder.json"),
        (lambda v: v["dedup"].update(semantic={**SEMANTIC, "threshold": 1.1}),
         "dedup.semantic.threshold = 1.1: expected `float` <= 1.0"),
        (lambda v: v["split"].update(time={"val_from": "soon", "test_from": "2026-01-31"}),
         "split.time.val_from = 'soon': want ISO 8601, or seconds since 1970"),
        (lambda v: v["split"].update(time={"val_from": "2026-02-01", "test_from": "2026-01-31"}),
         "split.time.val_from = '2026-02-01': want it no later than test_from = '2026-01-31'"),
        (lambda v: v["split"]["decontaminate"].update(sets="gone"),
         "split.decontaminate.sets = 'gone': no such folder; for none, make an empty one"),
    ],
    ids=lambda value: value.split(": ")[0] if isinstance(value, str) else "",
)  # fmt: skip
def test_each_thing_that_is_wrong_is_one_exact_line(project: Path, change: Edit, line: str) -> None:
    (project / "data/empty").mkdir()

    assert told(project, change) == [f"params.yaml: {line}"]


def test_rows_cannot_be_compared_by_meaning_without_an_encoder(project: Path) -> None:
    assert told(project, lambda values: values["dedup"].update(semantic=SEMANTIC)) == [
        "params.yaml: dedup.encoder = 'recipes/no_encoder.json': want an encoder's folder, or a pin of one of the "
        "hub; or write dedup.semantic: null"
    ]


def test_an_encoder_is_part_of_what_dedup_is_built_from_and_only_then_is_its_code(project: Path) -> None:
    run(project)
    before = json.loads((project / "keys/dedup.json").read_text())
    pin = "recipes/pins/smollm2_135m.json"
    edit(project, lambda values: values["dedup"].update(semantic=SEMANTIC, encoder=pin))
    run(project)

    after = json.loads((project / "keys/dedup.json").read_text())
    assert {"stages.similarity.semantic", "stages.similarity.embeddings"} <= after["symbols"].keys() - before[
        "symbols"
    ].keys()
    assert {"torch", "transformers", "usearch"} <= after["packages"].keys() - before["packages"].keys()
    assert pin in json.loads((project / "keys/graph.json").read_text())["dedup"]["deps"]


def test_a_golden_set_that_is_not_the_pinned_one_is_told(project: Path) -> None:
    (project / "data/golden.jsonl").write_text("{}")

    code, _, [line] = run(project)

    assert code == 1
    assert line.startswith("data/golden.jsonl: SHA-256 44136fa355b3678a") and "want 01ba4719c80b6fe9" in line


def test_parity_without_the_metric_that_it_compares_is_told_before_the_build(project: Path) -> None:
    def change(values: dict[str, Any]) -> None:
        values["suites"]["chat"]["metrics"] = ["compact"]
        values["compare"]["gates"] = {"compact": {"model": "dpo", "metric": "compact", "against": None, "min": 0.9}}

    [line] = told(project, change)
    assert line.startswith("params.yaml: ") and "exact_match" in line


def test_several_problems_are_all_told_at_once(project: Path) -> None:
    def change(values: dict[str, Any]) -> None:
        values["train"]["sft"]["learning_rate"] = "1e-4"
        values["clean"]["max_chars"] = 0
        values["compare"]["baseline"] = "bse"

    assert sorted(told(project, change)) == [
        "params.yaml: clean.max_chars = 0: expected `int` >= 1",
        "params.yaml: compare.baseline = 'bse': want one of base, dpo, sft",
        "params.yaml: train.sft.learning_rate = '1e-4': want a number, got text; write 0.0001 without quotes",
    ]


def test_steps_in_a_circle_are_told_once_and_steps_that_lead_to_it_not_at_all() -> None:
    sft = params.decode(preflight.CHAPTERS["train"], params.load(ROOT / "params.yaml")["train"], "train")[0]["sft"]

    def step(start: str) -> Any:
        return type(sft)(**{name: getattr(sft, name) for name in sft.__struct_fields__} | {"from_": start})

    found = preflight.cross({"train": {"a": step("b"), "b": step("c"), "c": step("b"), "d": step("base")}})

    assert found == ["params.yaml: train: b from c from b: steps in a circle; start one from base"]


def test_a_dep_that_dvc_yaml_lacks_is_told_with_what_main_wants(project: Path) -> None:
    text = (project / "dvc.yaml").read_text()
    (project / "dvc.yaml").write_text(text.replace("    - keys/clean.json\n", ""))

    assert run(project) == (
        1,
        "",
        [
            "dvc.yaml: clean: deps ['data/ingested/rows.jsonl', 'recipes/no_tokenizer.json']: "
            "stages.clean.main wants ['data/ingested/rows.jsonl', 'keys/clean.json', 'recipes/no_tokenizer.json']"
        ],
    )


def test_a_stage_whose_key_would_take_the_place_of_the_graph_is_told(project: Path) -> None:
    text = (project / "dvc.yaml").read_text()
    text = text.replace("  card:\n    cmd", "  graph:\n    cmd").replace("keys/card.json", "keys/graph.json")
    (project / "dvc.yaml").write_text(text)

    assert run(project) == (1, "", ["dvc.yaml: graph: its key keys/graph.json is taken: want another name"])


def test_an_import_that_is_not_locked_is_told(project: Path) -> None:
    with (project / "stages/reporting/item_files.py").open("a") as file:
        file.write("\n\ndef late():\n    import not_locked\n\n\nif __doc__ is None:\n    late()\n")

    assert run(project) == (
        1,
        "",
        ["stages.reporting.item_files: imports not_locked, which is not in uv.lock: `uv add` it"],
    )


def test_a_wrong_project_keeps_the_keys_that_it_had(project: Path) -> None:
    (project / "keys").mkdir()
    (project / "keys/old.json").write_text("{}")
    edit(project, lambda values: values["card"].update(model="dop"))

    assert run(project)[0] == 1
    assert [path.name for path in (project / "keys").iterdir()] == ["old.json"]
