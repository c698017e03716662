"""Embeddings: known cosines, bits that do not depend on other rows, and the memo."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.numpy import load_file

from modelmake.progress import ProgressBar
from stages.rows.row import Text, make_row
from stages.similarity import embeddings
from tests import made_up_encoder
from tests.made_up_encoder import CARD, CARD_ASKED, CARD_SHUFFLED, NEAR, TOASTER, WORDS, D, encode, params


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_encoder.bag(tmp_path_factory.mktemp("bag"))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_encoder.network(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_encoder.decoder(tmp_path_factory.mktemp("decoder"))


def test_a_vector_is_the_normalized_mean_over_the_tokens(bag: Path) -> None:
    first, second, third, fourth = encode(bag, ["my card", "card my", "my card where", "my card is"])

    assert np.linalg.norm(first) == pytest.approx(1)
    assert first @ second == pytest.approx(1)
    # sums of words, any two of which have -1/63: (2 - 7/63) / (3 - 6/63); and (2 - 4/63) / sqrt((2 - 2/63)(3 - 6/63))
    assert third @ fourth == pytest.approx(0.65027, abs=1e-4)
    assert first @ third == pytest.approx(0.80979, abs=1e-4)


def test_a_text_is_pooled_as_sentence_transformers_configures_it(bag: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(bag, tmp_path / "model")
    kinds = ("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")
    listed = [{"idx": i, "type": f"sentence_transformers.models.{t}", "path": p} for i, (t, p) in enumerate(kinds)]
    (folder / "modules.json").write_text(json.dumps(listed))
    (folder / "1_Pooling").mkdir()
    my, card = encode(bag, ["my", "card"])
    for pooling, expected in (
        ({"pooling_mode": "cls"}, my),
        ({"pooling_mode_cls_token": False, "pooling_mode_lasttoken": True}, card),
        ({"pooling_mode_mean_tokens": True}, (my + card) / np.linalg.norm(my + card)),
    ):
        (folder / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": D, **pooling}))
        np.testing.assert_allclose(encode(folder, ["my card"])[0], expected, atol=1e-6)


def test_variants_of_a_text_are_nearer_than_other_texts(network: Path) -> None:
    vectors = encode(network, [CARD, CARD_ASKED, CARD_SHUFFLED, TOASTER])

    assert min(vectors[0] @ vectors[1], vectors[0] @ vectors[2]) > 0.9 > vectors[0] @ vectors[3]


@pytest.mark.parametrize("kind", ["network", "decoder"])
def test_a_vector_has_the_same_bits_alone_in_a_batch_and_with_other_threads(
    kind: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(kind)
    texts = [" ".join(WORDS[start : start + length]) for length in (1, 5, 15, 16) for start in (0, 2, 4, 1, 3)]
    alone = np.concatenate([encode(folder, [text]) for text in texts])
    threads = msgspec.structs.replace(params(), near=msgspec.structs.replace(NEAR, threads=3))

    assert np.isfinite(alone).all()
    assert encode(folder, texts).tobytes() == alone.tobytes()
    assert encode(folder, texts[::-1], threads)[::-1].tobytes() == alone.tobytes()


def record_encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that the texts which are encoded from now on are added to."""
    encoded: list[str] = []
    encode = embeddings.Encoder.encode

    def record(self: embeddings.Encoder, texts: Sequence[str], progress: ProgressBar) -> np.ndarray:
        encoded.extend(texts)
        return encode(self, texts, progress)

    monkeypatch.setattr(embeddings.Encoder, "encode", record)
    return encoded


def with_ids(*texts: str) -> tuple[list[str], list[str]]:
    return [make_row(Text(text)).id for text in texts], list(texts)


def test_only_new_rows_are_encoded_and_the_result_is_the_same(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "SHARD_ROWS", 2)
    encoded = record_encoded(monkeypatch)
    encoder = embeddings.Encoder(network, params(max_tokens=9))
    embeddings.embed(*with_ids(CARD, TOASTER, "my card"), encoder, tmp_path)  # TOASTER is too long; the memo holds NaN
    encoded.clear()

    more = with_ids("where", "my card", CARD_ASKED, TOASTER)
    again = embeddings.embed(*more, encoder, tmp_path)

    assert encoded == ["where", CARD_ASKED]
    assert np.isnan(again[3]).all() and np.isfinite(again[:3]).all()
    assert again.tobytes() == embeddings.embed(*more, encoder, None).tobytes()


def test_a_damaged_file_of_the_memo_is_computed_again(
    bag: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded, encoder = record_encoded(monkeypatch), embeddings.Encoder(bag, params())
    expected = embeddings.embed(*with_ids(CARD, TOASTER), encoder, tmp_path)
    [file] = tmp_path.glob("*.safetensors")
    whole = file.read_bytes()
    for damaged in (whole[:-9], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        file.write_bytes(damaged)
        assert embeddings.embed(*with_ids(CARD, TOASTER), encoder, tmp_path).tobytes() == expected.tobytes()
        assert encoded == [CARD, TOASTER] * 2
        for added in set(tmp_path.glob("*.safetensors")) - {file}:
            added.unlink()
        del encoded[2:]


def test_the_memo_drops_rows_that_are_gone_once_they_are_more_than_half(bag: Path, tmp_path: Path) -> None:
    encoder = embeddings.Encoder(bag, params())
    embeddings.embed(*with_ids(*WORDS), encoder, tmp_path)
    embeddings.embed(*with_ids(CARD, WORDS[0]), encoder, tmp_path)

    [file] = tmp_path.glob("*.safetensors")
    assert len(load_file(file)["vectors"]) == 2


def test_vectors_of_another_encoder_are_deleted(bag: Path, network: Path, tmp_path: Path) -> None:
    folder = embeddings.memo_folder(tmp_path, bag, 16)
    folder.mkdir()

    assert embeddings.memo_folder(tmp_path, bag, 16) == folder and folder.is_dir()
    assert embeddings.memo_folder(tmp_path, network, 16) != folder and not folder.exists()
