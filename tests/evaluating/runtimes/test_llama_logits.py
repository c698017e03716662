"""llama.cpp's logits of tokens that are there are those that its server samples from, and those of transformers."""

from pathlib import Path

import numpy as np
import pytest

from modelmake.errors import UserError
from stages.evaluating import forced
from stages.evaluating.forced import Forced
from stages.evaluating.runtimes import llama_cpp, llama_logits, transformers_logits
from stages.exporting.gguf_writer import write_gguf
from tests.tiny_models import build_model

IDS = [at * 7 % 380 for at in range(1, 90)]
ROWS = [Forced(IDS, [*range(40, 60), 80]), Forced(IDS[30:], [1, 2, 3]), Forced(IDS[:50], [49])]


@pytest.fixture(scope="module", params=["llama", "qwen3"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = build_model(tmp_path_factory.mktemp(request.param), request.param)
    write_gguf(model, model / "a.gguf", "F32")
    return model


def by_llama_cpp(file: Path, rows: list[Forced]) -> list[np.ndarray]:
    with llama_logits.reading(file, longest=max(len(row.ids) for row in rows), threads=1) as reader:
        return [np.concatenate([*reader.logits(row)]) for row in rows]


def by_transformers(model: Path, rows: list[Forced]) -> list[np.ndarray]:
    with transformers_logits.reading(model, longest=256, device="cpu", dtype="float32") as reader:
        assert reader.vocab == 384
        return [np.concatenate([*reader.logits(row)]) for row in rows]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits.astype(float)).sum(-1, keepdims=True))


def test_they_are_what_the_server_samples_from(model: Path) -> None:
    file, row = model / "a.gguf", ROWS[0]

    [found] = by_llama_cpp(file, [row])
    served = llama_cpp.next_tokens(file, [row.ids[:place] for place in row.at], 384)
    for logits, likelihoods in zip(log_softmax(found), served, strict=True):
        assert len(likelihoods) == 384
        assert max(abs(logits[token] - logprob) for token, logprob in likelihoods.items()) < 0.01


def test_they_are_those_of_transformers_and_no_row_sees_the_one_before(model: Path) -> None:
    for ours, theirs in zip(by_llama_cpp(model / "a.gguf", ROWS), by_transformers(model, ROWS), strict=True):
        assert ours.shape == theirs.shape and theirs.std() > 0.5
        assert np.abs(ours - theirs).max() < 0.02  # keys and values are cached in 16 bits


def test_pieces_give_what_the_whole_gives(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = by_llama_cpp(model / "a.gguf", ROWS), by_transformers(model, ROWS)

    monkeypatch.setattr(forced, "HELD_LOGITS", 384 * 3)
    assert len([*ROWS[0].pieces(384)]) == 7
    in_pieces = by_llama_cpp(model / "a.gguf", ROWS), by_transformers(model, ROWS)
    for before, after in zip(whole, in_pieces, strict=True):
        for ours, theirs in zip(before, after, strict=True):
            assert np.abs(ours - theirs).max() < 0.02


def test_more_tokens_than_llama_cpp_reads_at_once_are_read(tmp_path: Path) -> None:
    model = build_model(tmp_path / "model", max_position_embeddings=4096, num_hidden_layers=1)
    write_gguf(model, tmp_path / "a.gguf", "F32")
    row = Forced([at * 11 % 380 for at in range(2300)], [5, 2047, 2048, 2049, 2299])

    [ours], [theirs] = by_llama_cpp(tmp_path / "a.gguf", [row]), by_transformers(model, [row])
    assert np.abs(ours - theirs).max() < 0.05


def test_a_file_that_llama_cpp_cannot_load_is_an_error(model: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes((model / "a.gguf").read_bytes()[:-1000])

    with pytest.raises(UserError, match=r"cut\.gguf: llama\.cpp cannot load it; its log above says why"):
        by_llama_cpp(tmp_path / "cut.gguf", ROWS)
    assert len(by_llama_cpp(model / "a.gguf", ROWS)) == 3


def test_a_token_that_the_file_does_not_have_is_an_error(model: Path) -> None:
    with pytest.raises(UserError, match=r"a\.gguf: llama\.cpp (refuses token 384|cannot read)"):
        by_llama_cpp(model / "a.gguf", [Forced([1, 384, 2], [2])])
