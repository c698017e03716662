"""A model's answers to the requests of lm-eval: likelihoods in any batch, texts up to where they end, nothing cut."""

import json
import os
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages.evaluating.lm_eval import answering
from stages.evaluating.lm_eval.answering import Settings
from tests.tiny_models import TEMPLATE, build_model, build_tokenizer, teach

SETTINGS = Settings(chat=False, batch_size=2, device="cpu", dtype="float32", checkpoint=Path(os.devnull))
CHAT = SETTINGS._replace(chat=True)
WORDS = [("The cat", " sat on the mat."), ("Q: 1234?\nA: ", "5"), ("", "We've seen them"), ("The cat", " don't")]
QUESTION = {"messages": [{"role": "user", "content": "Who sat?"}], "add_generation_prompt": True}
OTHER = {"messages": [{"role": "user", "content": "1234?"}], "add_generation_prompt": True}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build_model(tmp_path_factory.mktemp("model"))
    asked = [{"messages": question["messages"], "tools": []} for question in (QUESTION, OTHER)]
    return teach(folder, asked, ["The cat.\n\nThe mat.", "first<|bos|> second"])


def defined(model: Path, prompt: str, words: str) -> tuple[float, bool]:
    """The definition, a token at a time: (log-likelihood of the words, each of them the likeliest)."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer, network = AutoTokenizer.from_pretrained(model), AutoModelForCausalLM.from_pretrained(model)
    before = tokenizer.encode(prompt.rstrip()) if prompt else [tokenizer.eos_token_id]
    whole = tokenizer.encode(prompt + words) if prompt else before + tokenizer.encode(words)
    total, greedy = 0.0, True
    with torch.no_grad():
        for at in range(len(before), len(whole)):
            likelihoods = network(torch.tensor([whole[:at]])).logits[0, -1].log_softmax(-1)
            total += float(likelihoods[whole[at]])
            greedy = greedy and int(likelihoods.argmax()) == whole[at]
    return total, greedy


@pytest.mark.parametrize("batch_size", [1, 3])
def test_likelihoods_are_those_of_one_token_after_the_other(model: Path, batch_size: int) -> None:
    requests = [["loglikelihood", *pair] for pair in WORDS]
    found = answering.respond(model, requests, SETTINGS._replace(batch_size=batch_size))

    expected = [defined(model, *pair) for pair in WORDS]
    assert [nats for nats, _ in found.answers] == pytest.approx([nats for nats, _ in expected], abs=1e-4)
    assert [greedy for _, greedy in found.answers] == [greedy for _, greedy in expected]
    assert found.prompts == [prompt for prompt, _ in WORDS]


def test_words_that_the_model_would_write_are_told(model: Path) -> None:
    requests = [["loglikelihood", json.dumps(QUESTION), words] for words in ("The cat.", "The mat.")]
    found = answering.respond(model, requests, CHAT)

    assert [greedy for _, greedy in found.answers] == [True, False]
    assert found.answers[0][0] > -0.5 > found.answers[1][0]
    assert found.prompts == ["<|user|>Who sat?<|end|><|assistant|>"] * 2


def test_a_text_ends_at_the_first_of_the_ends_that_are_told(model: Path) -> None:
    def written(until: list[str], most: int = 24) -> tuple[list[str], int]:
        request = ["generate_until", json.dumps(QUESTION), {"until": until, "max_gen_toks": most}]
        found = answering.respond(model, [request], CHAT)
        return found.answers, found.cut

    assert written(["\n\n"]) == (["The cat."], 0)
    assert written([]) == (["The cat.\n\nThe mat."], 0)
    assert written(["mat", "cat"]) == (["The "], 0)
    assert written([], most=3)[1] == 1


def test_a_special_token_may_end_a_text(model: Path) -> None:
    def written(until: list[str]) -> list[str]:
        request = ["generate_until", json.dumps(OTHER), {"until": until, "max_gen_toks": 24}]
        return answering.respond(model, [request], CHAT).answers

    assert (written([]), written(["<|bos|>"])) == (["first second"], ["first"])


def test_a_prompt_without_room_is_refused_and_not_cut(model: Path) -> None:
    long = "word " * 300
    for request in (["loglikelihood", long, " yes"], ["generate_until", "x", {"until": ["\n"], "max_gen_toks": 256}]):
        with pytest.raises(UserError, match=r"1 of 1 prompts.* want at most the model's max_position_embeddings = 256"):
            answering.respond(model, [request], SETTINGS)


@pytest.mark.parametrize("ends", [{"add_generation_prompt": True}, {"add_generation_prompt": False}])
def test_a_template_that_refuses_a_prompt_is_told(tmp_path: Path, ends: dict[str, bool]) -> None:
    refusing = "{% if messages[0].role == 'system' %}{{ raise_exception('no system prompt') }}{% endif %}"
    build_tokenizer(tmp_path, chat_template=refusing + TEMPLATE)
    build_model(tmp_path)
    turns = [("system", "Be brief."), ("user", "Who sat?"), ("assistant", "It was")]
    asked = {"messages": [{"role": role, "content": text} for role, text in turns]} | ends

    with pytest.raises(UserError, match=r"^the chat template refuses it: no system prompt$"):
        answering.respond(tmp_path, [["loglikelihood", json.dumps(asked), " the cat."]], CHAT)


def test_words_of_no_tokens_are_refused(model: Path) -> None:
    with pytest.raises(UserError, match="no tokens: want words"):
        answering.respond(model, [["loglikelihood", "The cat", ""]], SETTINGS)


def test_a_template_brings_all_special_tokens_and_plain_text_those_of_the_tokenizer(tmp_path: Path) -> None:
    from tokenizers import processors
    from transformers import AutoTokenizer

    build_tokenizer(tmp_path, bos_token="<|bos|>")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    first = tokenizer.bos_token_id
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|bos|> $A", special_tokens=[("<|bos|>", first)]
    )
    plain, templated = answering.encoder(tokenizer, chat=False), answering.encoder(tokenizer, chat=True)

    assert plain("cat") == [first, *templated("cat")]
    assert plain("<|bos|>cat") == templated("<|bos|>cat") == plain("cat")


def test_white_space_before_the_words_counts_for_them(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    build_tokenizer(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    encode = answering.encoder(tokenizer, chat=False)

    before, words = answering.pair(encode, tokenizer, 4, "The cat \n", "sat")
    assert (tokenizer.decode(before), tokenizer.decode(words)) == ("The cat", " \nsat")
    assert answering.pair(encode, tokenizer, 4, "", "sat") == ([4], encode("sat"))


def test_a_read_text_has_the_likelihood_of_its_tokens(model: Path) -> None:
    found = answering.respond(model, [["loglikelihood_rolling", "The cat sat."]], SETTINGS)

    assert found.answers == pytest.approx([defined(model, "", "The cat sat.")[0]], abs=1e-4)
    assert found.prompts == [""]
