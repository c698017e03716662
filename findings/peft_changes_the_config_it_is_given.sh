#!/usr/bin/env bash
# peft 0.21.2: one LoraConfig, or one list of modules, for two models.
#
# A good guess: a config is what the caller wrote, before and after; the second model is adapted as the first was.
# Seen: get_peft_model writes into it. `target_modules="all-linear"` becomes the names of the first model's layers, so
# that of a deeper second model the layers beyond stay without an adapter, and nothing is said. For a task of
# classification the list given as `modules_to_save` itself grows by "classifier" and "score", at every call again, and
# the next model of another task records them in its adapter_config.json.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" peft==0.21.2 transformers==5.23.0 torch==2.13.0
cat > "$folder/reuse.py" <<'PYTHON'
import peft
import transformers


def config(layers):
    return transformers.LlamaConfig(
        hidden_size=16, intermediate_size=32, num_hidden_layers=layers, num_attention_heads=2, vocab_size=64,
        pad_token_id=0,
    )


def adapted_layers(model):
    names = [name for name, _ in model.named_parameters() if "lora_A" in name]
    return sorted({name.split(".layers.")[1].split(".")[0] for name in names})


shared = peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules="all-linear")
shallow = peft.get_peft_model(transformers.LlamaForCausalLM(config(1)), shared)
deep = peft.get_peft_model(transformers.LlamaForCausalLM(config(3)), shared)
print("layers with an adapter, of a model of 1 and then of one of 3:", adapted_layers(shallow), adapted_layers(deep))

whole = ["embed_tokens"]
for _ in range(2):
    scoring = peft.LoraConfig(task_type="SEQ_CLS", r=2, target_modules=["q_proj"], modules_to_save=whole)
    peft.get_peft_model(transformers.LlamaForSequenceClassification(config(1)), scoring)
answering = peft.LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj"], modules_to_save=whole)
recorded = peft.get_peft_model(transformers.LlamaForCausalLM(config(1)), answering).peft_config["default"]
print("modules_to_save of the model that answers:", recorded.modules_to_save)

assert adapted_layers(deep) == ["0"], "all-linear of a shared config is all of the second model now"
assert recorded.modules_to_save == ["embed_tokens", *["classifier", "score"] * 2], "the list is the caller's again"
PYTHON
"$folder/env/bin/python" "$folder/reuse.py" 2> "$folder/log" || { tail -3 "$folder/log"; exit 1; }
