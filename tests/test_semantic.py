"""Rows that say the same in other words: by embeddings whose cosines are known, and by those of a tiny network."""

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import (
    BertConfig,
    BertModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from modelmake.errors import UserError
from stages import dedup, embeddings, encoder, progress, rows, semantic
from stages.params.data import Dedup, Near, Semantic
from stages.rows import Chat, Message, Row, Text

NEAR = Near(threshold=0.85, shingle_chars=5, permutations=128, bands=21, seed=1, threads=1)
WORDS = (
    "where", "is", "my", "card", "please", "the", "toaster", "that", "i", "ordered", "on", "monday", "has", "not",
    "come", "yet", ",", ".", "?", "!",
)  # fmt: skip
D = 64
SHAPE = {
    "vocab_size": D, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96,
    "max_position_embeddings": 64,
}  # fmt: skip
CARD, CARD_ASKED, CARD_SHUFFLED = "Where is my card?", "My card, where is?", "card my is where ?"
TOASTER = "The toaster that I ordered has not come yet."


def params(**changes: Any) -> Dedup:
    values = {"threshold": 0.9, "neighbours": 8, "max_tokens": 16, "batch_size": 4, **changes}
    return Dedup(near=NEAR, encoder="model", semantic=Semantic(**values))


def save(folder: Path, network: PreTrainedModel, **special: str) -> Path:
    """A model's folder; a word is a token, in lower case, and so is each sign."""
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate(["[PAD]", "[UNK]", *WORDS])}, "[UNK]"))
    words.normalizer, words.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", **special)
    tokenizer.save_pretrained(folder)
    network.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network without layers: a text is the mean of its words' vectors, of which any two have a cosine of -1 / 63."""
    network = BertModel(BertConfig(vocab_size=D, hidden_size=D, num_hidden_layers=0, max_position_embeddings=64))
    with torch.no_grad():
        network.embeddings.word_embeddings.weight.copy_(torch.eye(D))
        network.embeddings.position_embeddings.weight.zero_()
        network.embeddings.token_type_embeddings.weight.zero_()
    return save(tmp_path_factory.mktemp("bag"), network, pad_token="[PAD]")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers of seeded random weights."""
    torch.manual_seed(0)
    return save(tmp_path_factory.mktemp("network"), BertModel(BertConfig(**SHAPE)), pad_token="[PAD]")


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of a decoder, without a token to pad with."""
    torch.manual_seed(0)
    return save(tmp_path_factory.mktemp("decoder"), LlamaForCausalLM(LlamaConfig(**SHAPE)))


def read(folder: Path, texts: Sequence[str], chosen: Dedup | None = None) -> np.ndarray:
    return embeddings.Encoder(folder, chosen or params()).read(texts, progress.Count(len(texts), "", ""))


def test_a_text_is_the_mean_over_its_tokens_normalized(bag: Path) -> None:
    first, second, third, fourth = read(bag, ["my card", "card my", "my card where", "my card is"])

    assert np.linalg.norm(first) == pytest.approx(1)
    assert first @ second == pytest.approx(1)
    # sums of words, any two of which have -1/63: (2 - 7/63) / (3 - 6/63); and (2 - 4/63) / sqrt((2 - 2/63)(3 - 6/63))
    assert third @ fourth == pytest.approx(0.65027, abs=1e-4)
    assert first @ third == pytest.approx(0.80979, abs=1e-4)


def test_sentence_transformers_say_how_a_text_is_pooled(bag: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(bag, tmp_path / "model")
    kinds = ("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")
    listed = [{"idx": i, "type": f"sentence_transformers.models.{t}", "path": p} for i, (t, p) in enumerate(kinds)]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir()
    my, card = read(bag, ["my", "card"])
    for settings_, expected in (
        ({"pooling_mode": "cls"}, my),
        ({"pooling_mode_cls_token": False, "pooling_mode_lasttoken": True}, card),
        ({"pooling_mode_mean_tokens": True}, (my + card) / np.linalg.norm(my + card)),
    ):
        (folder / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": D, **settings_}))
        np.testing.assert_allclose(read(folder, ["my card"])[0], expected, atol=1e-6)


def test_variants_of_a_text_are_nearer_than_other_texts(network: Path) -> None:
    vectors = read(network, [CARD, CARD_ASKED, CARD_SHUFFLED, TOASTER])

    assert min(vectors[0] @ vectors[1], vectors[0] @ vectors[2]) > 0.9 > vectors[0] @ vectors[3]


@pytest.mark.parametrize("kind", ["network", "decoder"])
def test_a_vector_is_the_same_bits_whatever_is_read_beside_it_by_however_many_threads(
    kind: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(kind)
    texts = [" ".join(WORDS[start : start + length]) for length in (1, 5, 15, 16) for start in (0, 2, 4, 1, 3)]
    alone = np.concatenate([read(folder, [text]) for text in texts])
    threads = Dedup(
        Near(**{**{f: getattr(NEAR, f) for f in NEAR.__struct_fields__}, "threads": 3}), "", params().semantic
    )

    assert np.isfinite(alone).all()
    assert read(folder, texts).tobytes() == alone.tobytes()
    assert read(folder, texts[::-1], threads)[::-1].tobytes() == alone.tobytes()


def test_a_text_that_is_too_long_or_has_no_token_is_not_compared(bag: Path) -> None:
    chosen = params(max_tokens=3)
    search = semantic.Search(bag, chosen, None)

    assert search.find("text", ["a", "b", "c", "d"], ["my card is", "", "my card is where", "is my card"]) == [
        semantic.Stood(3, 0, pytest.approx(1))
    ]
    assert search.told() == {"compared": 2, "over_long": 2}


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are read from now on."""
    seen: list[str] = []
    plainly = embeddings.Encoder.read

    def noted(self: embeddings.Encoder, texts: Sequence[str], told: progress.Count) -> np.ndarray:
        seen.extend(texts)
        return plainly(self, texts, told)

    monkeypatch.setattr(embeddings.Encoder, "read", noted)
    return seen


def named(*texts: str) -> tuple[list[str], list[str]]:
    return [rows.row(Text(text)).id for text in texts], list(texts)


def test_only_new_rows_are_read_and_the_result_is_the_same(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "SHARD", 2)
    seen = counted(monkeypatch)
    reader = embeddings.Encoder(network, params(max_tokens=9))
    embeddings.embed(*named(CARD, TOASTER, "my card"), reader, tmp_path)  # the toaster is too long, and known to be
    del seen[:]

    more = named("where", "my card", CARD_ASKED, TOASTER)
    again = embeddings.embed(*more, reader, tmp_path)

    assert seen == ["where", CARD_ASKED]
    assert np.isnan(again[3]).all() and np.isfinite(again[:3]).all()
    assert again.tobytes() == embeddings.embed(*more, reader, None).tobytes()


def test_a_file_of_the_memo_that_is_not_whole_is_made_anew(
    bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, reader = counted(monkeypatch), embeddings.Encoder(bag, params())
    expected = embeddings.embed(*named(CARD, TOASTER), reader, tmp_path)
    [file] = tmp_path.glob("*.safetensors")
    whole = file.read_bytes()
    for spoilt in (whole[:-9], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        file.write_bytes(spoilt)
        assert embeddings.embed(*named(CARD, TOASTER), reader, tmp_path).tobytes() == expected.tobytes()
        assert seen == [CARD, TOASTER] * 2
        for made in set(tmp_path.glob("*.safetensors")) - {file}:
            made.unlink()
        del seen[2:]


def test_rows_that_are_gone_leave_the_memo_once_they_are_the_most(bag: Path, tmp_path: Path) -> None:
    reader = embeddings.Encoder(bag, params())
    embeddings.embed(*named(*WORDS), reader, tmp_path)
    embeddings.embed(*named(CARD, WORDS[0]), reader, tmp_path)

    [file] = tmp_path.glob("*.safetensors")
    assert len(load_file(file)["vectors"]) == 2


def test_what_another_encoder_made_is_not_taken(bag: Path, network: Path, tmp_path: Path) -> None:
    before = embeddings.folder(tmp_path, bag, 16)
    before.mkdir()

    assert embeddings.folder(tmp_path, bag, 16) == before and before.is_dir()
    assert embeddings.folder(tmp_path, network, 16) != before and not before.exists()


def unit(n: int, seed: int) -> np.ndarray:
    """Vectors of length 1 about a few directions, so that some are alike."""
    draw = np.random.default_rng(seed)
    found = draw.normal(size=(max(1, n // 3), 8))[draw.integers(0, max(1, n // 3), n)] + draw.normal(0, 0.2, (n, 8))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(0, 1000), st.sampled_from([0.8, 0.95, 1.0]))
def test_every_pair_at_the_threshold_is_found_and_no_other(n: int, seed: int, threshold: float) -> None:
    vectors = unit(n, seed)
    wide = vectors.astype(np.float64)
    exact = wide @ wide.T / np.outer(np.linalg.norm(wide, axis=1), np.linalg.norm(wide, axis=1))
    expected = [(a, b) for a in range(n) for b in range(a + 1, n) if exact[a, b] >= threshold]

    found = semantic.alike(vectors, params(threshold=threshold, neighbours=n).semantic, 1)
    assert sorted(map(tuple, found.tolist())) == expected


def test_a_row_is_held_against_its_nearest_ones() -> None:
    angles = np.array([0.0, 0.1, 0.3, 0.31])  # the first is nearest to the second, and so on
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    found = semantic.alike(vectors, params(threshold=0.9, neighbours=1).semantic, 1)
    assert found.tolist() == [[0, 1], [2, 3]]
    assert len(semantic.alike(vectors, params(threshold=0.9, neighbours=3).semantic, 1)) == 6


def test_the_index_finds_what_comparing_all_finds_and_the_same_each_time() -> None:
    vectors, chosen = unit(3000, 1), params(threshold=0.97, neighbours=32).semantic
    expected = semantic.alike(vectors, chosen, 1)

    once, again, by_two = (semantic.alike(vectors, chosen, threads, exact=0) for threads in (1, 1, 2))
    assert len(expected) > 1000
    assert len(set(map(tuple, once.tolist())) & set(map(tuple, expected.tolist()))) >= 0.99 * len(expected)
    assert once.tobytes() == again.tobytes() == by_two.tobytes()


def text(words: str, split: str = "") -> Row:
    return rows.row(Text(words), split)


def found(folder: Path, given_rows: Sequence[Row], **changes: Any) -> list[dedup.Dropped]:
    search = semantic.Search(folder, params(**changes), None)
    return dedup.find_meant(given_rows, dedup.find(given_rows, params(**changes)), search)


def test_the_row_given_to_the_split_that_wins_stays_else_the_smallest_id(bag: Path) -> None:
    for splits, stays in ((("", ""), None), (("val", ""), 0), (("", "test"), 1), (("val", "test"), 1)):
        pair = [text(words, split) for words, split in zip((CARD, CARD_SHUFFLED), splits, strict=True)]
        kept = min(pair, key=lambda row: row.id) if stays is None else pair[stays]
        [gone] = [row for row in pair if row is not kept]
        assert found(bag, [*pair, text(TOASTER)]) == [(gone.id, kept.id, "semantic_duplicate", 1.0)]


def test_a_test_split_that_the_source_gave_stays_whole(bag: Path) -> None:
    assert found(bag, [text(CARD, "test"), text(CARD_SHUFFLED, "test")]) == []


def test_kinds_are_apart(bag: Path) -> None:
    chat = rows.row(Chat([Message("user", "card my"), Message("assistant", "is where ?")]))

    assert found(bag, [chat, text(CARD)]) == []


def test_what_a_dropped_row_stood_for_is_stood_for_by_what_stands_for_it(bag: Path) -> None:
    copies = sorted([text(CARD), text(CARD.upper())], key=lambda row: row.id)
    kept = text(CARD_SHUFFLED, "val")

    assert found(bag, [*copies, kept]) == [(row.id, kept.id, "semantic_duplicate", 1.0) for row in copies]


SENTENCES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)


@settings(max_examples=15)
@given(
    st.lists(st.builds(text, SENTENCES, st.sampled_from(["", "train", "val", "test"])), max_size=12),
    st.randoms(use_true_random=False),
)
def test_no_two_kept_rows_say_the_same_in_any_order(bag: Path, given_rows: list[Row], order: random.Random) -> None:
    given_rows = list({row.id: row for row in given_rows}.values())
    dropped = found(bag, given_rows, threshold=0.8, neighbours=16)
    order.shuffle(given_rows)

    gone = {drop[0] for drop in dropped}
    left = [row for row in given_rows if row.id not in gone]
    assert found(bag, given_rows, threshold=0.8, neighbours=16) == dropped
    assert len(gone) == len(dropped) and {drop[1] for drop in dropped} <= {row.id for row in left}
    vectors = read(bag, [row.content.text for row in left]) if left else np.empty((0, D))
    for a, b in zip(*np.nonzero(vectors @ vectors.T >= 0.8 + 1e-6), strict=True):
        assert a == b or left[a].split == left[b].split == "test"


def test_the_stage_tells_what_it_compared(bag: Path, tmp_path: Path) -> None:
    given_rows = [text(CARD), text(CARD_SHUFFLED), text(TOASTER)]
    rows.write(tmp_path / "in", given_rows)
    paths = [tmp_path / name for name in ("out", "duplicates", "report", "memo")]

    line = dedup.main(tmp_path / "in", bag, *paths, params(max_tokens=8))

    assert line == "3 rows in, 2 out, 1 dropped (semantic_duplicate 1)"
    assert json.loads((tmp_path / "report").read_bytes()) == {
        "in": 3, "out": 2, "dropped": {"semantic_duplicate": 1}, "clusters": 1,
        "semantic": {"compared": 2, "over_long": 1},
    }  # fmt: skip
    [told] = pyarrow.parquet.read_table(tmp_path / "duplicates").to_pylist()
    assert told["reason"] == "semantic_duplicate" and told["similarity"] == 1.0


def spoil(folder: Path, what: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    if what.endswith("safetensors"):
        (folder / what).unlink()
    elif what == "nan":
        weights = load_file(folder / "model.safetensors")
        save_file({name: np.full_like(held, np.nan) for name, held in weights.items()}, folder / "model.safetensors")
    elif what == "truncated":
        (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-100])
    elif what == "modules.json":
        listed = [{"type": f"models.{name}", "path": ""} for name in ("Transformer", "Pooling", "Dense")]
        (folder / what).write_text(json.dumps(listed))
    else:
        (folder / "config.json").write_text(json.dumps({**config, what: True}))


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("model.safetensors", r"model: missing model.safetensors: want a folder of transformers or .*no_encoder.json"),
        ("auto_map", r"config.json: auto_map asks for code .*; remote code is never run$"),
        ("is_encoder_decoder", r"config.json: is_encoder_decoder: want an encoder, or a decoder; name another one$"),
        ("modules.json", r"modules.json: Transformer, Pooling, Dense: want Transformer, Pooling and perhaps Normalize"),
        ("nan", r"^params.yaml: dedup.encoder: .*model: gives embeddings that are no numbers: name another$"),
        ("truncated", r"^params.yaml: dedup.encoder: .*model: transformers says: .*; name another encoder$"),
    ],
)
def test_what_is_no_encoder_is_told_in_a_line(bag: Path, tmp_path: Path, what: str, message: str) -> None:
    folder = shutil.copytree(bag, tmp_path / "model")
    spoil(folder, what)

    with pytest.raises(UserError, match=message):
        read(folder, [CARD])


def test_an_encoder_of_the_hub_is_known_by_its_pin(bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin = tmp_path / "pin.json"
    pin.write_text(json.dumps({"repo": "some/encoder", "revision": "0" * 40}))
    asked = []
    monkeypatch.setattr(embeddings.hub, "fetch", lambda *what: asked.append(what) or bag)

    assert read(pin, [CARD]).tobytes() == read(bag, [CARD]).tobytes()
    assert asked == [(pin, "model", encoder.WANTED)]


def test_more_tokens_than_the_model_reads_are_told(bag: Path) -> None:
    with pytest.raises(UserError, match=r"^params.yaml: dedup.semantic.max_tokens = 65: .* reads 64: lower it$"):
        encoder.check(bag, 65)


def test_a_file_that_is_no_pin_is_told(tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text("null\n")

    with pytest.raises(UserError, match=r"none.json': want an encoder's folder, or a pin of one of the hub; or write"):
        encoder.check(tmp_path / "none.json", 16)


def test_the_extra_is_asked_for_where_it_is_not_installed(bag: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "find_spec", lambda name: None)

    with pytest.raises(UserError) as error:
        encoder.check(bag, 16)
    assert str(error.value) == (
        "params.yaml: dedup.semantic: usearch is not installed: run `uv sync --extra semantic`, or write null"
    )
