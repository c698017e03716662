"""Tokens: those that transformers and TRL would make of a row, and exactly those that the loss is to see."""

import random
from pathlib import Path

import pytest

from stages.base import CHAT_TEMPLATE
from stages.rows.row import Chat, Judged, Message, Pair, Text
from stages.training import tokens
from stages.training.row_renderer import RowRenderer
from tests.tiny_models import build_tokenizer

WORDS = ["cat", " sat", "  ", "\n", "\n\n", "it's", "1234", "naïve", "你好", "🙂👍🏽", "x =", '"a": 1', "\t"]
ASK, ANSWER = Message("user", "q"), Message("assistant", "yes")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory):
    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tokenizer")
    build_tokenizer(folder, chat_template=CHAT_TEMPLATE)
    return AutoTokenizer.from_pretrained(folder)


def encode(contents: list, tokenizer, loss: str = "assistant") -> list[tokens.Encoded]:
    return list(tokens.encode(contents, tokenizer, RowRenderer(tokenizer, loss, ["<|end|>"], [])))


def made_up(rng: random.Random, role: str) -> Message:
    return Message(role, "a" + "".join(rng.choices(WORDS, k=rng.randint(0, 6))) + "b" * rng.randint(0, 1))


def conversation(rng: random.Random) -> list[Message]:
    return [made_up(rng, role) for _ in range(rng.randint(1, 3)) for role in ("user", "assistant")]


def test_tokens_and_mask_of_a_chat_are_those_of_transformers(tokenizer) -> None:
    rng = random.Random(1)
    chats = [conversation(rng) for _ in range(600)]  # more than a chunk

    for turns, encoded in zip(chats, encode([Chat(turns) for turns in chats], tokenizer), strict=True):
        expected = tokenizer.apply_chat_template(
            [{"role": turn.role, "content": turn.content} for turn in turns],
            return_dict=True, return_assistant_tokens_mask=True,
        )  # fmt: skip
        [side] = encoded.sides
        assert encoded.losses == []
        assert side.ids == expected["input_ids"]
        masked = zip(side.ids, expected["assistant_masks"], strict=True)
        assert side.labels == [token if mask else -100 for token, mask in masked]
        assert side.n_trained == sum(expected["assistant_masks"])


def test_tokens_of_a_pair_are_those_of_trl(tokenizer) -> None:
    rng = random.Random(2)
    pairs = []
    for _ in range(60):
        *prompt, chosen = conversation(rng)
        pairs.append(Pair(prompt, [chosen], [made_up(rng, "assistant")]))

    for pair, encoded in zip(pairs, encode(pairs, tokenizer, "answer"), strict=True):

        def of_turns(*turns: Message, **options: bool) -> list[int]:
            messages = [{"role": turn.role, "content": turn.content} for turn in turns]
            return tokenizer.apply_chat_template(messages, **options)["input_ids"]

        chosen, rejected = encoded.sides
        prompt = of_turns(*pair.prompt, add_generation_prompt=True)
        for side, answer in ((chosen, pair.chosen), (rejected, pair.rejected)):
            assert side.ids == of_turns(*pair.prompt, *answer)
            assert side.ids[: side.answer] == prompt
            assert side.trained == [(len(prompt), len(side.ids))]


def test_the_sides_of_a_pair_have_the_same_prompt_where_a_token_joins_it_to_an_answer(tokenizer) -> None:
    template = tokenizer.chat_template
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.content }}{{ '<|end|>' if m.role == 'assistant' else ' h' }}{% endfor %}"
    )
    assert tokenizer.tokenize(" he")[-1] == "he", "one token"

    [encoded] = encode([Pair([ASK], [Message("assistant", "e cat")], [Message("assistant", "x")])], tokenizer, "answer")
    tokenizer.chat_template = template

    chosen, rejected = encoded.sides
    assert chosen.ids[: chosen.answer] == rejected.ids[: rejected.answer]
    assert tokenizer.decode(chosen.ids[chosen.answer :]).startswith("he cat<|end|>")
    assert tokenizer.decode(rejected.ids[rejected.answer :]).startswith("hx<|end|>")


def test_a_text_is_followed_by_its_end_token_and_trained_whole(tokenizer) -> None:
    [encoded, ended] = encode([Text("The cat"), Text("The cat<|end|>")], tokenizer, "all")

    assert tokenizer.decode(encoded.sides[0].ids) == "The cat<|end|>"
    assert encoded.sides == ended.sides
    assert encoded.sides[0].labels == encoded.sides[0].ids


def test_cutting_a_row_cuts_what_the_loss_sees(tokenizer) -> None:
    side = tokens.Tokens([1, 2, 3, 4, 5, 6], [(1, 3), (4, 6)], 0)

    assert side.cut(5) == tokens.Tokens([1, 2, 3, 4, 5], [(1, 3), (4, 5)], 0)
    assert side.cut(5).labels == [-100, 2, 3, -100, 5]
    assert side.cut(1).n_trained == 0


def test_the_first_token_of_all_is_read_and_not_counted_as_trained() -> None:
    """The loss compares each token with what the model says after the one before."""
    assert tokens.Tokens([5, 6, 7], [(0, 3)], 0).n_trained == 2
    assert tokens.Tokens([5, 6, 7], [(0, 1), (2, 3)], 0).n_trained == 1
    assert tokens.Tokens([5], [(0, 1)], 0).n_trained == 0
    assert [piece.n_trained for piece in tokens.Tokens([5, 6, 7], [(0, 3)], 0).pieces(2)] == [1, 0]


def test_a_row_is_as_long_as_it_is_for_training(tokenizer) -> None:
    for content, loss in (
        (Chat([ASK, ANSWER]), "assistant"), (Text("The cat"), "all"), (Judged([ASK], [ANSWER], False), "answer"),
        (Pair([ASK], [ANSWER], [Message("assistant", "no, it is not")]), "answer"),
    ):  # fmt: skip
        [encoded] = encode([content], tokenizer, loss)
        assert tokens.count(content, tokenizer) == encoded.length


def test_a_row_that_the_template_refuses_has_no_length_and_a_loss(tokenizer) -> None:
    template = tokenizer.chat_template
    tokenizer.chat_template = "{{ raise_exception('no') }}"
    try:
        assert tokens.count(Chat([ASK, ANSWER]), tokenizer) == 0
        [encoded] = encode([Chat([ASK, ANSWER])], tokenizer)
        assert encoded.losses == [("the chat template refuses it: no", "")]
    finally:
        tokenizer.chat_template = template


def test_characters_without_a_token_are_a_loss(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"[UNK]": 0, "<|end|>": 1, "cat": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<|end|>", unk_token="[UNK]")

    known, unknown = encode([Text("cat cat"), Text("cat 🙂 dog")], tokenizer, "all")

    assert known.losses == []
    assert unknown.losses == [("characters for which the tokenizer has [UNK] only", "2 of them")]
