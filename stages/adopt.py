"""Takes an adapter that was trained elsewhere into the graph: checks it, and merges it into its model. So for a whole
model, which is copied.

Inputs:  start    model folder that the adapter was trained on
         adapter  folder that PEFT saved: adapter_config.json, adapter_model.safetensors; a tokenizer beside them is
                  compared with the model's, and nothing else of the folder is read; or the folder of a model
Outputs: merged   complete model folder: weights, tokenizer, chat template
Params:  adopt.<adopted>
"""

import shutil

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.params.adoption import Adoption
from stages.training import foreign_adapter
from stages.training.merging import load, merge


def main(start: In, adapter: In, merged: Out, adopted: str, params: Adoption) -> str:
    if foreign_adapter.is_whole(adapter):
        if problems := foreign_adapter.whole_problems(adapter):
            raise UserError("\n".join(f"adopt.{adopted}: {problem}" for problem in problems))
        shutil.copytree(adapter, merged, ignore=shutil.ignore_patterns(".*"))
        return "a whole model, copied; its rows are unknown"
    problems = foreign_adapter.problems(adapter) or [
        *foreign_adapter.unlike(adapter, start), *foreign_adapter.other_words(adapter, start)
    ]  # fmt: skip
    if problems:
        raise UserError("\n".join(f"adopt.{adopted}: {problem}" for problem in problems))
    from transformers import AutoTokenizer

    model, changed = merge(load(start, params.quantization, "CAUSAL_LM"), adapter)
    model.save_pretrained(merged)
    AutoTokenizer.from_pretrained(start).save_pretrained(merged)
    config = msgspec.json.decode((adapter / foreign_adapter.CONFIG).read_bytes())
    said = config.get("base_model_name_or_path") or "no model"
    return f"adapter merged into {changed} modules of {params.from_}; its config names {said}; its rows are unknown"


if __name__ == "__main__":
    harness.run(main)
