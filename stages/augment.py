"""Asks language models for more training rows: other answers, other and harder questions, preference pairs.

Inputs:  splits     folder of {train,val,test}/{chat,pair,text}.jsonl; rows are generated from the chats of train, the
                    other splits only serve to drop rows that give them away
         sets       folder of evaluation sets; may be empty
         tokenizer  folder of a model whose chat template and tokenizer measure rows; any file if no rule needs them
         templates  folder of prompts: text with {placeholders}
Outputs: augmented  folder of {chat,pair,text}.jsonl: {id, content} of the generated rows, sorted by id, no texts;
                    parents.parquet {id, parent, method, teacher, judge, template, prompt_sha256, seed, requests,
                    rules}: a line for each training row that a generated one starts from; dropped.parquet {id, reason,
                    detail}. Rows that were dropped or never came have the id of their attempt in both tables
         report     JSON {in, out, dropped, methods: {method: {in, out}}}: in counts the requested rows
Params:  augment; clean and split, whose rules filter the generated rows

The archive keeps every answer under the hash of its request: no request that was answered is sent twice, whatever else
changes. One that the endpoint refused is sent again by the next run.
"""

import importlib

from modelmake import harness
from modelmake.signature import Archive, In, Out
from stages.params.augmentation import Augment
from stages.params.cleaning import Clean
from stages.params.data import Split
from stages.rows import accounting, jsonl, parquet_table
from stages.rows.row import KINDS

PARENTS = dict.fromkeys(
    ("id", "parent", "method", "teacher", "judge", "template", "prompt_sha256", "seed", "requests", "rules"), str
)


def main(
    splits: In, sets: In, tokenizer: In, templates: In, augmented: Out, report: Out, archive: Archive,
    params: Augment, cleaning: Clean, splitting: Split,
) -> str:  # fmt: skip
    rows, parents, drops, methods = [], [], [], {}
    if params.methods:  # without methods the code of augmenting/ is in no key
        module = importlib.import_module(params.modules()[0])
        rows, parents, drops, methods = module.generate(
            splits, sets, tokenizer, templates, archive, params, cleaning, splitting
        )
    counts = accounting.account(sum(n["in"] for n in methods.values()), len(rows), [drop.reason for drop in drops])
    augmented.mkdir()
    for kind in KINDS:
        jsonl.write(augmented / f"{kind}.jsonl", (row for row in rows if row.kind == kind))
    parquet_table.write(augmented / "parents.parquet", {**PARENTS, "seed": int}, sorted(parents))
    parquet_table.write_drops(augmented / "dropped.parquet", drops)
    accounting.write_json(report, {**counts, "methods": methods})
    return accounting.summary(counts) if params.methods else "no methods: no rows asked for"


if __name__ == "__main__":
    harness.run(main)
