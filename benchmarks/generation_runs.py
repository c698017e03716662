"""Runs of benchmarks/generation.py, each in a process of its own: `generation_runs.py HOW SPECIFICATION RESULT`.

    loop     a row at a time by transformers' `generate`, as its documentation shows
    before   batches of like length by `generate`, as this project's stage answered until it had a loop of its own
    ours     the stage `answer`, without the harness
    rescore  the stage `evaluate`, with one metric more than the suite has, on the answers of `ours`

CPU seconds are those from the end of imports to the answers, or to the scores: the model is loaded, rows are read,
prompts rendered, on one thread.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ANOTHER = "rouge_l"  # the metric that is new


def loop(model: Path, rows: Path, sections: dict[str, Any], folder: Path) -> None:
    """Answers as a script of a few lines does."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from stages.answers.decoder import Decoder
    from stages.training import chat_template

    tokenizer, network = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model)
    decoder = Decoder(tokenizer, chat_template.stop_token_ids(model, tokenizer))
    answers = []
    for question in asked(rows):
        inputs = tokenizer.apply_chat_template(
            question["messages"], tools=question["tools"] or None, add_generation_prompt=True, return_tensors="pt",
            return_dict=True,
        )  # fmt: skip
        with torch.inference_mode():
            output = network.generate(**inputs, do_sample=False, max_new_tokens=sections["answer"].max_new_tokens)
        answers.append(decoder.text(output[0, inputs["input_ids"].shape[1] :].tolist()))
    write(rows, answers, folder)


def before(model: Path, rows: Path, sections: dict[str, Any], folder: Path) -> None:
    """Answers as the stage did: the longest prompts first, in batches that are padded on the left."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    from stages.answers.decoder import Decoder
    from stages.training import chat_template

    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForCausalLM.from_pretrained(model, dtype="float32", device_map="cpu").eval()
    texts = [chat_template.render_messages(tokenizer, **question, prompt=True).text for question in asked(rows)]
    prompts = tokenizer(texts, add_special_tokens=False)["input_ids"]
    stops = chat_template.stop_token_ids(model, tokenizer)
    decoder, pad = Decoder(tokenizer, stops), min(stops)
    network.generation_config = GenerationConfig(
        do_sample=False, max_new_tokens=sections["answer"].max_new_tokens, eos_token_id=sorted(stops), pad_token_id=pad
    )
    order = sorted(range(len(prompts)), key=lambda i: -len(prompts[i]))
    answers = [""] * len(prompts)
    for start in range(0, len(order), sections["answer"].batch_size):
        batch = order[start : start + sections["answer"].batch_size]
        width = len(prompts[batch[0]])
        input_ids = torch.full((len(batch), width), pad)  # (B, T)
        attention_mask = torch.zeros_like(input_ids)
        for row, i in enumerate(batch):
            input_ids[row, width - len(prompts[i]) :] = torch.tensor(prompts[i])
            attention_mask[row, width - len(prompts[i]) :] = 1
        outputs = network.generate(input_ids=input_ids, attention_mask=attention_mask)  # (B, T + new)
        for i, tokens in zip(batch, outputs[:, width:].tolist(), strict=True):
            answers[i] = decoder.text(tokens)
    write(rows, answers, folder)


def ours(model: Path, rows: Path, sections: dict[str, Any], folder: Path) -> None:
    from stages import answer

    (folder / "checkpoints").mkdir(exist_ok=True)
    (folder / "checkpoints/batches.jsonl").unlink(missing_ok=True)
    answer.main(
        model, rows, folder / "answers.jsonl", folder / "checkpoints", "chat", sections["answer"], sections["machine"]
    )  # fmt: skip


def rescore(model: Path, rows: Path, sections: dict[str, Any], folder: Path) -> None:
    from msgspec.structs import replace

    from stages import evaluate

    suite = replace(sections["suite"], metrics=[*sections["suite"].metrics, ANOTHER])
    files = [folder / name for name in ("answers.jsonl", "scored.jsonl", "scores.json")]
    evaluate.main(rows, *files, folder / "checkpoints", "chat", suite)


def asked(rows: Path) -> list[dict[str, Any]]:
    from stages.evaluating.questions import questions
    from stages.rows import jsonl

    return questions(jsonl.read(rows))


def write(rows: Path, answers: list[str], folder: Path) -> None:
    from stages.evaluating import answer_file
    from stages.evaluating.answer_file import Given
    from stages.rows import jsonl

    given = [Given(row.id, [text]) for row, text in zip(jsonl.read(rows), answers, strict=True)]
    answer_file.write(folder / "answers.jsonl", given)


HOW = {function.__name__: function for function in (loop, before, ours, rescore)}


def main() -> None:
    how, specification, result = sys.argv[1], json.loads(Path(sys.argv[2]).read_bytes()), Path(sys.argv[3])
    sys.path.insert(0, str(ROOT))
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig  # noqa: F401

    from modelmake import params
    from stages import answer, evaluate, preflight  # noqa: F401
    from stages.evaluating import metrics, roomy_cache  # noqa: F401

    torch.set_num_threads(1)
    chapters, problems = preflight.decode(params.load(ROOT / "params.yaml"))
    if problems:
        raise SystemExit("\n".join(problems))
    sections = {"answer": chapters["answer"]["chat"], "suite": chapters["suites"]["chat"]}
    metrics.declared(sections["suite"])  # imports them
    began = time.process_time()
    HOW[how](
        Path(specification["model"]), Path(specification["rows"]), sections | {"machine": chapters["machine"]},
        Path(specification["folder"]),
    )  # fmt: skip
    result.write_text(json.dumps({"cpu_s": time.process_time() - began}))


if __name__ == "__main__":
    main()
