"""Figures of the rows."""

from stages.reporting import data_facts
from stages.rows.row import Chat, Function, Judged, Message, Pair, Text, ToolCall, make_row


def test_lengths_are_counted_in_bins_that_double() -> None:
    assert data_facts.length_statistics([]) == {"rows": 0, "bins": []}
    assert data_facts.length_statistics([3, 1, 0, 8]) == {
        "rows": 4, "shortest": 0, "half": 3, "nine_tenths": 8, "most": 8, "longest": 8,
        "bins": [[1, 1], [2, 1], [4, 1], [8, 0], [16, 1]],
    }  # fmt: skip


def test_a_cluster_includes_the_kept_row() -> None:
    assert data_facts.cluster_sizes([]) == {}
    assert data_facts.cluster_sizes(["a", "b", "a", "c"]) == {2: 2, 3: 1}


def test_a_label_is_one_that_clean_counted() -> None:
    label_of = data_facts.label_function({"field": "l", "counts": {"a": 1, "2": 1}})
    answers = ['{"l": "a"}', '{"l": 2}', '{"l": "free text"}', "a", '{"l": null}']
    chats = [make_row(Chat([Message("user", "q"), Message("assistant", text)])) for text in answers]

    assert [label_of(row) for row in chats] == ["a", "2", None, None, None]
    assert label_of(make_row(Text("a"))) is None
    assert data_facts.label_function(None)(chats[0]) is None


def test_parts_turns_system_prompts_tools_reasoning_and_masks_are_counted() -> None:
    system, question = Message("system", "be short"), Message("user", "hi")
    masked = Message("assistant", "ho", train=False)
    thought = Message("assistant", "", [ToolCall(Function("f", {}), "function")], reasoning_content="hm")
    rows = [
        make_row(Chat([system, question, masked, question, thought], [{"name": "f"}])),
        make_row(Judged([question], [Message("assistant", "ho")], True, [{"name": "f"}, {"name": "g"}])),
        make_row(Judged([question], [masked], False)),
        make_row(Pair([Message("user", "why")], [Message("assistant", "so")], [Message("assistant", "no!")])),
        make_row(Text("four")),
    ]

    facts = data_facts.facts(rows, lambda row: None, examples=3)

    assert {kind: list(named) for kind, named in facts["lengths"].items()} == {
        "chat": ["question", "answer"], "judged": ["question", "good answer", "bad answer, not trained"],
        "pair": ["question", "chosen", "rejected"], "text": ["text"],
    }  # fmt: skip
    assert facts["lengths"]["pair"]["rejected"]["longest"] == 3
    assert facts["turns"] == {"2": 3, "4": 1}
    assert facts["system"] == {"rows": 1, "of": 4, "different": 1, "first": [("be short", 1)]}
    assert facts["tools"] == {"rows": 2, "calls": 1, "different": 2, "first": [("f", 2), ("g", 1)]}
    assert (facts["reasoning"], facts["labels"]) == (1, {})
    assert (facts["masked"], facts["judged"]) == ({"rows": 2, "turns": 2}, {"good": 1, "bad": 1})
