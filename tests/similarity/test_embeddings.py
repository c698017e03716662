"""Embeddings: known cosines, the same bits in any company, and those that were kept."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.numpy import load_file

from modelmake.progress import Count
from stages.params.data import Dedup
from stages.rows.row import Text, make_row
from stages.similarity import embeddings
from tests import made_up_encoder
from tests.made_up_encoder import CARD, CARD_ASKED, CARD_SHUFFLED, NEAR, TOASTER, WORDS, D, params, read


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_encoder.bag(tmp_path_factory.mktemp("bag"))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_encoder.network(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_encoder.decoder(tmp_path_factory.mktemp("decoder"))


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
    threads = Dedup(msgspec.structs.replace(NEAR, threads=3), "", params().semantic)

    assert np.isfinite(alone).all()
    assert read(folder, texts).tobytes() == alone.tobytes()
    assert read(folder, texts[::-1], threads)[::-1].tobytes() == alone.tobytes()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are read from now on."""
    seen: list[str] = []
    plainly = embeddings.Encoder.read

    def noted(self: embeddings.Encoder, texts: Sequence[str], told: Count) -> np.ndarray:
        seen.extend(texts)
        return plainly(self, texts, told)

    monkeypatch.setattr(embeddings.Encoder, "read", noted)
    return seen


def named(*texts: str) -> tuple[list[str], list[str]]:
    return [make_row(Text(text)).id for text in texts], list(texts)


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
