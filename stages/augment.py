"""Asks language models for more training rows: other answers, other and harder questions, preference pairs.

Inputs:  splits     folder of {train,val,test}/{chat,pair,text}.jsonl; the chats of train are what rows are made of, the
                    others are only looked at, so that nothing that is made gives them away
         sets       folder of evaluation sets, or an empty one
         tokenizer  folder of a model, by whose template rows are counted in tokens; else a file that is not looked at
         templates  folder of prompts: text with {names} that are filled in
Outputs: augmented  folder of {chat,pair,text}.jsonl: {id, content} of the rows that were made, sorted by id, no texts;
                    parents.parquet {id, parent, method, teacher, judge, template, prompt_sha256, seed, requests,
                    rules}: a line for each row that one was made of, and how; dropped.parquet {id, reason, detail}.
                    A row that was dropped, or never came, has the id of its attempt in both tables
         report     JSON {in, out, dropped, methods: {method: {in, out}}}: in is how many rows were asked for
Params:  augment; and those by which what is made is judged: clean, split

What endpoints answered stays in the archive, by the whole request: none is asked twice, whatever else changes.
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
    made, parents, drops, methods = [], [], [], {}
    if params.methods:
        making = importlib.import_module(params.modules()[0])
        made, parents, drops, methods = making.make(
            splits, sets, tokenizer, templates, archive, params, cleaning, splitting
        )
    counts = accounting.account(sum(n["in"] for n in methods.values()), len(made), [drop.reason for drop in drops])
    augmented.mkdir()
    for kind in KINDS:
        jsonl.write(augmented / f"{kind}.jsonl", (row for row in made if row.kind == kind))
    parquet_table.write(augmented / "parents.parquet", {**PARENTS, "seed": int}, sorted(parents))
    parquet_table.write_drops(augmented / "dropped.parquet", drops)
    accounting.write_json(report, {**counts, "methods": methods})
    return accounting.summary(counts) if params.methods else "no methods: no rows asked for"


if __name__ == "__main__":
    harness.run(main)
