"""A pinned dataset stands for its data files; what cannot be had is one line."""

import json
from pathlib import Path

import pytest

from modelmake.errors import UserError
from stages import hub, records

PIN = {"repo": "org/name", "revision": "0123456789abcdef" * 2 + "01234567"}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache, offline, with one dataset."""
    import huggingface_hub.constants

    snapshot = tmp_path / "cache/datasets--org--name/snapshots" / PIN["revision"]
    (snapshot / "data").mkdir(parents=True)
    (snapshot / "data/test.jsonl").write_text('{"text": "a"}\n')
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return snapshot


def pinned(folder: Path, pin: object) -> Path:
    (folder / "raw").mkdir(exist_ok=True)
    (folder / "raw/d.hub.json").write_text(json.dumps(pin))
    return folder / "raw"


def test_a_pin_stands_for_the_files_of_the_dataset(tmp_path: Path, cache: Path) -> None:
    [file] = records.files(pinned(tmp_path, PIN), [])

    assert file.name == "d.hub.json/data/test.jsonl"
    [record] = records.read(file.path, file.name)
    assert (record.value, record.split) == ({"text": "a"}, "test")


def test_a_dataset_that_is_not_there_offline_is_one_line(tmp_path: Path, cache: Path) -> None:
    raw = pinned(tmp_path, {**PIN, "repo": "org/other"})
    with pytest.raises(UserError) as told:
        records.files(raw, [])

    assert str(told.value) == (
        f"{raw}/d.hub.json: org/other@01234567 is not in the hub's cache, and this build is offline: "
        "run once with HF_HUB_OFFLINE=0"
    )


@pytest.mark.parametrize("pin", [{"repo": "org/name", "revision": "main"}, {"revision": PIN["revision"]}, [], "x"])
def test_what_is_no_pin_is_one_line(tmp_path: Path, pin: object) -> None:
    raw = pinned(tmp_path, pin)
    with pytest.raises(UserError) as told:
        records.files(raw, [])

    assert str(told.value) == (f'{raw}/d.hub.json: found {pin}: want {{"repo": "org/name", "revision": 40 hex digits}}')


def test_a_name_that_the_hub_refuses_is_one_line(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(UserError, match="the hub says: ") as told:
        records.files(pinned(tmp_path, {**PIN, "repo": "no name at all"}), [])

    assert "\n" not in str(told.value)


def test_pages_are_not_fetched() -> None:
    assert "*.md" not in hub.WANTED and {"*.parquet", "*.jsonl.zst"} <= set(hub.WANTED)
