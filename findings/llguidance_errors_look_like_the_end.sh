#!/usr/bin/env bash
# llguidance 1.9.1, LLMatcher.
#
# A good guess: a schema that it cannot enforce, or a token that the grammar does not allow, raises.
# Seen: neither does. The matcher goes into a state of error, in which its mask allows the end token alone: a loop that masks
# logits and stops at the end writes an empty answer, or one that breaks off, and nobody says why. Only is_error() tells.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv venv -q --python 3.11 "$folder/env"
uv pip install -q --python "$folder/env/bin/python" llguidance==1.9.1
"$folder/env/bin/python" - <<'PYTHON' 2> "$folder/log" || { cat "$folder/log"; exit 1; }
from importlib.metadata import version

from llguidance import LLMatcher, LLTokenizer

tokenizer = LLTokenizer("byte")  # a token for each byte


def allowed(matcher):
    bits = matcher.compute_bitmask()
    return [token for token in range(tokenizer.vocab_size) if bits[token // 8] >> token % 8 & 1]


unknown = LLMatcher(tokenizer, LLMatcher.grammar_from_json_schema({"type": "array", "uniqueItems": True}), log_level=0)
number = LLMatcher(tokenizer, LLMatcher.grammar_from_json_schema({"type": "integer"}), log_level=0)
print("llguidance", version("llguidance"))
print("an integer may begin with", bytes(allowed(number)))
print("consumed x:", number.consume_token(ord("x")))
for name, matcher in (("uniqueItems", unknown), ("an integer after x", number)):
    print(f"{name}: the end alone is allowed:", allowed(matcher) == [tokenizer.eos_token], "| error:", matcher.is_error())
    assert allowed(matcher) == [tokenizer.eos_token] and matcher.is_error()
PYTHON
