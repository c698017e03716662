"""llama.cpp gives the same tokens, prompts and answers from a GGUF file as transformers from its model folder."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import psutil
import pytest

from modelmake.errors import UserError
from stages.evaluating.runtimes import llama_cpp, transformers
from stages.exporting.gguf_writer import write_gguf
from tests.tiny_models import TEMPLATE, build_model, build_tokenizer, edit_json, teach

CHATML = (
    "{{ bos_token }}{%- for m in messages -%}\n<|im_start|>{{ m['role'] }}\n{{ m.content | trim }}<|end|>\n"
    "{%- endfor %}\n{% if add_generation_prompt -%} <|im_start|>assistant\n{% endif %}"
)
CONVERSATIONS: list[dict[str, Any]] = [
    {"messages": messages, "tools": []}
    for messages in (
        [{"role": "user", "content": "The cat sat on the mat."}],
        [{"role": "user", "content": " What's 1234 + 56789?\n"}],
        [{"role": "system", "content": "They'll come; be short."}, {"role": "user", "content": "Grüße, 世界 🙂"}],
        [
            {"role": "user", "content": "def f(x):\n    return x\n\n\n"},
            {"role": "assistant", "content": "  We've seen it.\n"},
            {"role": "user", "content": "And <|end|> or <tool> in a text? »»"},
        ],
        [{"role": "user", "content": ""}],
        [{"role": "user", "content": "don't DON'T O'Clock you'LL"}],
        [{"role": "user", "content": "x" * 60}],
        [{"role": "user", "content": "one two  three   four\tfive"}],
    )
]
ANSWERS = [
    "It's on the mat.",
    " 1234 + 56789, we've seen",
    "\n\nGrüße, 世界 🙂👍🏽!",
    "def f(x):\n    return x + 1\n",
    "",
    "They'll come.  <tool>!",
    "first<|bos|> second",
    "  two  three   ",
]
AWKWARD = [
    "",
    " ",
    "   leading, trailing   ",
    "\n\n a \n  b\r\n\tc\n\n\n",
    "1 12 123 1234 12345678901 3.14 1,000 ½ ² ٣٤ 五",
    "It's we'll I'M DON'T 'tis rock'n'roll ’s",
    "Ünïcödé naïve Straße Привет 你好，世界 こんにちは ไทย हिन्दी العربية",
    "🙂👍🏽👩‍👩‍👧‍👦🇩🇪 emoji",
    "a_b-c/d\\e {x: [1, 2]} !!! ... --- $%^&*()",
    "<|user|>hi<|end|> <|pad|><|bos|> <tool>a»» b <|unknown|> <|end",
    "\u00a0nbsp\u200bzwsp\u2028ls \x00\x01\x7f",
    "supercalifragilistic" * 5,
]


NONE = Path(os.devnull)  # no checkpoint


@pytest.fixture(scope="module", params=["llama", "mistral", "qwen2", "qwen3"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = {"sliding_window": None} if request.param == "mistral" else {}
    return teach(
        build_model(tmp_path_factory.mktemp(request.param), request.param, **config), CONVERSATIONS, ANSWERS
    )  # fmt: skip


def answers_of(model: Path, gguf_file: Path, max_new_tokens: int = 40) -> tuple[list[str], list[str]]:
    """llama.cpp's and transformers' greedy answers."""
    expected = transformers.generate(
        model,
        CONVERSATIONS,
        max_new_tokens=max_new_tokens,
        batch_size=1,
        device="cpu",
        dtype="float32",
        checkpoint=NONE,
    )
    settings = {"max_new_tokens": max_new_tokens, "threads": 1, "context_tokens": 256, "checkpoint": NONE}
    answers = llama_cpp.generate(gguf_file, CONVERSATIONS, **settings)
    assert [answer.cut for answer in answers] == [answer.cut for answer in expected]
    assert [answer.prompt_tokens for answer in answers] == [answer.prompt_tokens for answer in expected]
    for answer, wanted in zip(answers, expected, strict=True):
        assert answer.text != wanted.text or answer.answer_tokens == wanted.answer_tokens
    return [answer.text for answer in answers], [answer.text for answer in expected]


@pytest.mark.parametrize(("quant", "least_equal"), [("F32", 8), ("F16", 8), ("Q8_0", 8), ("Q4_0", 4)])
def test_greedy_answers_are_those_of_transformers(model: Path, tmp_path: Path, quant: str, least_equal: int) -> None:
    write_gguf(model, tmp_path / "a.gguf", quant)
    answers, expected = answers_of(model, tmp_path / "a.gguf")
    assert expected == [answer.replace("<|bos|>", "") for answer in ANSWERS]  # not trivially equal
    assert sum(a == b for a, b in zip(answers, expected, strict=True)) >= least_equal, answers


LLAMA3_ROPE = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0} | {
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}


@pytest.mark.parametrize(
    ("architecture", "config"),
    [
        ("llama", {}),
        ("llama", {"rope_parameters": LLAMA3_ROPE, "head_dim": 32}),
        ("llama", {"tie_word_embeddings": False, "attention_bias": True, "num_key_value_heads": 4}),
        ("mistral", {"head_dim": 32, "sliding_window": None}),
        ("qwen2", {"tie_word_embeddings": True, "rms_norm_eps": 1e-2}),
        ("qwen3", {"head_dim": 32, "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}}),
    ],
)
def test_log_probabilities_are_those_of_transformers(tmp_path: Path, architecture: str, config: dict) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = build_model(tmp_path / "model", architecture, **config)
    write_gguf(model, tmp_path / "a.gguf", "F32")
    network = AutoModelForCausalLM.from_pretrained(model)
    ids = torch.arange(7, 107)[None] * 3 % 380  # (1, T)
    with torch.no_grad():
        expected = network(ids).logits[0, -1].log_softmax(-1)
    [found] = llama_cpp.next_tokens(tmp_path / "a.gguf", ids.tolist(), 300)
    errors = [abs(expected[token].item() - logprob) for token, logprob in found.items()]
    assert len(errors) == 300 and expected.std() > 0.5
    assert max(errors) < 0.01  # llama.cpp caches keys and values in F16; a wrong RoPE, norm or bias is off by tenths


@pytest.mark.parametrize("pre_tokenizer", ["gpt-2", "smollm", "llama-bpe", "qwen2"])
def test_tokens_are_those_of_transformers(tmp_path: Path, pre_tokenizer: str) -> None:
    from transformers import AutoTokenizer

    build_tokenizer(tmp_path / "model", pre_tokenizer)
    model = build_model(tmp_path / "model", "qwen3")
    assert write_gguf(model, tmp_path / "a.gguf", "F16")["pre_tokenizer"] == pre_tokenizer
    tokenizer = AutoTokenizer.from_pretrained(model)
    assert llama_cpp.tokenize(tmp_path / "a.gguf", AWKWARD) == [tokenizer(text)["input_ids"] for text in AWKWARD]


@pytest.mark.parametrize(
    ("architecture", "tokenizer_class", "pre_tokenizer"),
    [("llama", "GPT2Tokenizer", "gpt-2"), ("qwen3", "Qwen2Tokenizer", "qwen2"), ("qwen2", None, "qwen2")],
)
def test_tokens_are_those_of_the_class_that_overrides_tokenizer_json(
    tmp_path: Path, architecture: str, tokenizer_class: str | None, pre_tokenizer: str
) -> None:
    from transformers import AutoTokenizer

    build_tokenizer(tmp_path / "model", "smollm", bos_token="<|end|>", unk_token="<|end|>")
    model = build_model(tmp_path / "model", architecture)
    if tokenizer_class is not None:
        edit_json(model / "tokenizer_config.json", tokenizer_class=tokenizer_class)
    assert write_gguf(model, tmp_path / "a.gguf", "F16")["pre_tokenizer"] == pre_tokenizer
    tokenizer = AutoTokenizer.from_pretrained(model)
    assert llama_cpp.tokenize(tmp_path / "a.gguf", AWKWARD) == [tokenizer(text)["input_ids"] for text in AWKWARD]


@pytest.mark.parametrize("template", [TEMPLATE, CHATML], ids=["generation", "chatml"])
def test_prompts_are_those_of_transformers(tmp_path: Path, template: str) -> None:
    from transformers import AutoTokenizer

    build_tokenizer(tmp_path / "model", chat_template=template, bos_token="<|bos|>")
    model = build_model(tmp_path / "model")
    write_gguf(model, tmp_path / "a.gguf", "F16")
    tokenizer = AutoTokenizer.from_pretrained(model)
    for conversation in CONVERSATIONS:
        expected = tokenizer.apply_chat_template(conversation["messages"], add_generation_prompt=True, tokenize=False)
        assert llama_cpp.prompts(tmp_path / "a.gguf", [conversation]) == [expected]


def test_the_begin_token_is_added_once(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    build_tokenizer(
        tmp_path / "model",
        chat_template="{{ bos_token }}" + TEMPLATE,
        bos_token="<|bos|>",
        add_bos_token=True,
    )
    model = teach(build_model(tmp_path / "model"), CONVERSATIONS, ANSWERS)
    write_gguf(model, tmp_path / "a.gguf", "F32")
    tokenizer = AutoTokenizer.from_pretrained(model)
    assert tokenizer("a")["input_ids"][0] == tokenizer.bos_token_id
    assert llama_cpp.tokenize(tmp_path / "a.gguf", AWKWARD) == [tokenizer(text)["input_ids"] for text in AWKWARD]
    [prompt] = llama_cpp.prompts(tmp_path / "a.gguf", CONVERSATIONS[:1])
    [ids] = llama_cpp.tokenize(tmp_path / "a.gguf", [prompt])
    assert ids == tokenizer.apply_chat_template(CONVERSATIONS[0]["messages"], add_generation_prompt=True)["input_ids"]
    answers, expected = answers_of(model, tmp_path / "a.gguf")
    assert answers == expected


def test_generation_stops_at_each_end_token(model: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(model, tmp_path / "copy")
    edit_json(copy / "generation_config.json", eos_token_id=[4, 5])  # <|end|> and <|bos|>
    write_gguf(copy, tmp_path / "a.gguf", "F32")
    answers, expected = answers_of(copy, tmp_path / "a.gguf")
    assert answers == expected
    assert answers[6] == "first"


def test_an_incomplete_character_at_the_limit_is_left_out(model: Path, tmp_path: Path) -> None:
    write_gguf(model, tmp_path / "a.gguf", "F32")
    for max_new_tokens in (9, 11, 13):  # within characters of ANSWERS[2]
        answers, expected = answers_of(model, tmp_path / "a.gguf", max_new_tokens)
        assert answers == expected


def test_files_and_conversations_that_cannot_be_answered_are_errors(model: Path, tmp_path: Path) -> None:
    gguf_file = tmp_path / "a.gguf"
    write_gguf(model, gguf_file, "F16")
    settings = {"max_new_tokens": 24, "threads": 1, "context_tokens": 256, "checkpoint": NONE}
    long = {"messages": [{"role": "user", "content": "one two " * 200}], "tools": []}
    with pytest.raises(UserError, match=r"a.gguf: conversation 1: llama.cpp says: request \(\d+ tokens\) exceeds"):
        llama_cpp.generate(gguf_file, [CONVERSATIONS[0], long], **settings)
    with pytest.raises(UserError, match=r"max_new_tokens = 250: want at most context_tokens = 256 together"):
        llama_cpp.generate(gguf_file, CONVERSATIONS, **(settings | {"max_new_tokens": 250}))
    with pytest.raises(UserError, match=r"cut.gguf: llama.cpp cannot load it"):
        (tmp_path / "cut.gguf").write_bytes(gguf_file.read_bytes()[:-1000])
        llama_cpp.generate(tmp_path / "cut.gguf", CONVERSATIONS, **settings)
    bare = shutil.copytree(model, tmp_path / "bare", ignore=shutil.ignore_patterns("chat_template.jinja"))
    write_gguf(bare, tmp_path / "bare.gguf", "F16")
    with pytest.raises(UserError, match=r"bare.gguf: no chat template: want one"):
        llama_cpp.generate(tmp_path / "bare.gguf", CONVERSATIONS, **settings)


def listening() -> set[tuple]:
    """Addresses on which this process listens; other tests' servers may be among them."""
    return {c.laddr for c in psutil.Process().net_connections("inet") if c.status == psutil.CONN_LISTEN}


def test_every_server_stops_and_none_hangs(model: Path, tmp_path: Path) -> None:
    before = listening()
    write_gguf(model, tmp_path / "a.gguf", "Q8_0")
    for _ in range(10):
        assert llama_cpp.tokenize(tmp_path / "a.gguf", []) == []
    with pytest.raises(UserError, match="context_tokens") as error:
        settings = {"max_new_tokens": 256, "threads": 1, "context_tokens": 256, "checkpoint": NONE}
        llama_cpp.generate(tmp_path / "a.gguf", CONVERSATIONS, **settings)
    assert listening() == before
    assert error.tb is not None  # its frames did not keep the server alive


def test_answers_are_bound_by_a_schema_and_free_where_llama_cpp_cannot_take_it(tmp_path: Path) -> None:
    """Its log says so, the answers do not: they have to be validated again."""
    asked = [{"messages": [{"role": "user", "content": text}], "tools": []} for text in ("The cat?", "1234?")]
    taught = ["glad, I'd say", '{"n":1234}']
    write_gguf(teach(build_model(tmp_path / "model"), asked, taught), tmp_path / "a.gguf", "F32")
    settings = {"max_new_tokens": 40, "threads": 1, "context_tokens": 256, "checkpoint": NONE}
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 5000}}, "required": ["n"]}

    def answers(bound: dict[str, Any] | None) -> list[str]:
        return [a.text for a in llama_cpp.generate(tmp_path / "a.gguf", asked, schema=bound, **settings)]

    assert answers(None) == taught
    for text in answers(schema):
        assert json.loads(text)["n"] >= 5000
    assert answers({**schema, "not": {"required": ["m"]}}) == taught
