"""Rows in numbers."""

from stages.reporting import data_facts
from stages.rows.row import Chat, Message, Pair, Text, make_row


def test_lengths_are_counted_in_bins_that_double() -> None:
    assert data_facts.lengths([]) == {"rows": 0, "bins": []}
    assert data_facts.lengths([3, 1, 0, 8]) == {
        "rows": 4, "shortest": 0, "half": 3, "nine_tenths": 8, "most": 8, "longest": 8,
        "bins": [[1, 1], [2, 1], [4, 1], [8, 0], [16, 1]],
    }  # fmt: skip


def test_a_cluster_holds_the_row_that_is_kept_too() -> None:
    assert data_facts.clusters([]) == {}
    assert data_facts.clusters(["a", "b", "a", "c"]) == {2: 2, 3: 1}


def test_a_label_is_one_that_clean_counted() -> None:
    label = data_facts.labeller({"field": "l", "counts": {"a": 1, "2": 1}})
    given = ['{"l": "a"}', '{"l": 2}', '{"l": "free text"}', "a", '{"l": null}']
    chats = [make_row(Chat([Message("user", "q"), Message("assistant", text)])) for text in given]

    assert [label(row) for row in chats] == ["a", "2", None, None, None]
    assert label(make_row(Text("a"))) is None
    assert data_facts.labeller(None)(chats[0]) is None


def test_parts_turns_system_prompts_and_tools_are_counted() -> None:
    system = Message("system", "be short")
    found = [
        make_row(Chat([system, Message("user", "hi"), Message("assistant", "ho")], [{"name": "f"}])),
        make_row(Pair([Message("user", "why")], [Message("assistant", "so")], [Message("assistant", "no!")])),
        make_row(Text("four")),
    ]

    told = data_facts.tell(found, lambda row: None, shown=3)

    assert {kind: list(named) for kind, named in told["lengths"].items()} == {
        "chat": ["question", "answer"], "pair": ["question", "chosen", "rejected"], "text": ["text"],
    }  # fmt: skip
    assert told["lengths"]["pair"]["rejected"]["longest"] == 3
    assert told["turns"] == {"2": 2}
    assert told["system"] == {"rows": 1, "of": 2, "different": 1, "first": [("be short", 1)]}
    assert (told["tools"], told["labels"]) == (1, {})
