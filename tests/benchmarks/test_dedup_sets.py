"""The sets on which `dedup` is held to its rule: all is right now, and what is wrong would be counted."""

import pytest

from benchmarks import dedup_sets
from stages import dedup
from tests.conftest import ROOT
from tests.test_dedup import LONG, TYPO

DATA = ROOT.parent / "shared/data"
CHATS = [
    dedup_sets.made(question, answer, says=answer)
    for question in (LONG, TYPO)
    for answer in ("It will be with you on Tuesday.", "It is lost.")
]


@pytest.mark.skipif(not DATA.is_dir(), reason="no real data in ../shared/data")
def test_nothing_is_kept_or_dropped_wrongly_in_real_data() -> None:
    outcome = dedup_sets.outcome(DATA, 400)

    assert {name: outcome[name] for name in ("kept_wrongly", "dropped_wrongly")} == {
        "kept_wrongly": 0, "dropped_wrongly": 0,
    }  # fmt: skip
    with_copies = {"shared_prompts", "edited_copies", "changed_code", "changed_calls"}
    assert {kind for kind, figures in outcome["sets"].items() if figures["dropped"] > 10} == with_copies
    assert outcome["sets"].keys() == with_copies | {"templates", "changed_words"}


@pytest.mark.parametrize(("dropped", "kept_wrongly", "dropped_wrongly"), [(0, 2, 0), (4, 0, 4)])
def test_what_is_wrong_is_counted(
    dropped: int, kept_wrongly: int, dropped_wrongly: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = [dedup.Duplicate(chat.row.id, "", "", 1.0) for chat in CHATS[:dropped]]
    monkeypatch.setattr(dedup, "find_duplicates", lambda rows, params: (gone, []))

    assert dedup_sets.judge(CHATS) == {
        "rows": 4, "dropped": dropped, "kept_wrongly": kept_wrongly, "dropped_wrongly": dropped_wrongly,
    }  # fmt: skip
