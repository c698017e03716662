"""What a GGUF file does not say is an error where llama.cpp would make something up."""

import re
from pathlib import Path

import gguf
import pytest

from modelmake.errors import UserError
from stages.evaluating.runtimes import gguf_template, llama_cpp
from stages.exporting.gguf_writer import write_gguf
from tests.tiny_models import TEMPLATE, build_model, build_tokenizer

ASKED = [{"messages": [{"role": "user", "content": "Hi"}], "tools": []}]


def nameless(folder: Path, **settings: object) -> Path:
    """A file whose begin token has another key, so that llama.cpp knows none."""
    build_tokenizer(folder, bos_token="<|bos|>", **settings)
    file = folder / "a.gguf"
    write_gguf(build_model(folder), file, "F16")
    content = file.read_bytes()
    assert content.count(b"tokenizer.ggml.bos_token_id") == 1
    file.write_bytes(content.replace(b"tokenizer.ggml.bos_token_id", b"tokenizer.ggml.box_token_id"))
    return file


@pytest.mark.parametrize(
    ("settings", "user"),
    [
        ({"chat_template": "{{ bos_token }}" + TEMPLATE}, "template 'default'"),
        ({"chat_template": "{{ bos_token }}" + TEMPLATE, "add_bos_token": True}, "template 'default'"),
        ({"chat_template": "<|bos|>" + TEMPLATE, "add_bos_token": True}, "tokenizer"),
    ],
)
def test_a_begin_token_without_a_name_is_an_error(tmp_path: Path, settings: dict, user: str) -> None:
    file = nameless(tmp_path / "model", **settings)

    message = f"a.gguf: no tokenizer.ggml.bos_token_id, and its {user} begins texts with one: llama.cpp would take"
    with pytest.raises(UserError, match=re.escape(message)):
        llama_cpp.prompt_tokens(file, ASKED)
    limits = {"max_new_tokens": 8, "threads": 1, "context_tokens": 256, "checkpoint": tmp_path / "none"}
    with pytest.raises(UserError, match=re.escape(message)):
        llama_cpp.generate(file, ASKED, **limits)


def test_without_use_of_a_begin_token_none_is_needed(tmp_path: Path) -> None:
    file = nameless(tmp_path / "model")

    [ids] = llama_cpp.prompt_tokens(file, ASKED)
    assert ids and "bos_token" not in gguf_template.read(file).special_tokens


def test_what_llama_cpp_samples_by_is_told(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "a.gguf", "llama")
    writer.add_float32("general.sampling.temp", 0.5)
    writer.add_int32("general.sampling.top_k", 20)
    for write in (writer.write_header_to_file, writer.write_kv_data_to_file, writer.close):
        write()

    assert gguf_template.sampling_defaults(tmp_path / "a.gguf") == {"temp": 0.5, "top_k": 20}
    write_gguf(build_model(tmp_path / "model"), tmp_path / "b.gguf", "F16")
    assert gguf_template.sampling_defaults(tmp_path / "b.gguf") == {}


def test_tensors_are_counted_by_their_type(tmp_path: Path) -> None:
    write_gguf(build_model(tmp_path / "model", intermediate_size=80), tmp_path / "a.gguf", "Q8_0")

    # two layers of 7 matrices, of which the down projections do not fit; the embedding; 5 norms
    assert gguf_template.tensor_types(tmp_path / "a.gguf") == {"Q8_0": 13, "F32": 5, "F16": 2}
