"""`ingest` reads a record of any content back as that content."""

from pathlib import Path

import pytest

from stages.rows import raw_record
from stages.rows.row import Chat, Content, Function, Judged, Message, Pair, Text, ToolCall, make_row
from tests.ingest_run import lines, rows_of, run

TOOLS = [{"type": "function", "function": {"name": "time", "parameters": {"type": "object", "properties": {}}}}]
CALL = ToolCall(Function("time", {"zone": "UTC"}), "function", "c1")
ASKED = [Message("system", "be brief"), Message("user", "now?")]
CONTENTS = [
    Chat([*ASKED, Message("assistant", "noon", reasoning_content="it is 12")]),
    Chat([*ASKED, Message("assistant", "", [CALL]), Message("tool", "12", name="time", tool_call_id="c1"),
          Message("assistant", "noon")], TOOLS),
    Chat([*ASKED, Message("assistant", "what?", train=False), Message("user", "so?"), Message("assistant", "noon")]),
    Pair(ASKED, [Message("assistant", "noon")], [Message("assistant", "late")], TOOLS),
    Judged(ASKED, [Message("assistant", "noon")], True),
    Judged(ASKED, [Message("assistant", "late")], False, TOOLS),
    Text("It is noon.\nAnd late."),
]  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: type(content).__name__)
def test_a_record_is_read_as_its_content(content: Content, tmp_path: Path) -> None:
    result = run(tmp_path, {"x.train.jsonl": lines(raw_record.of_content(content))}, judged="rows")

    [row] = rows_of(result, tmp_path)
    assert (row.id, row.content, row.split) == (make_row(content).id, content, "train")
    assert result["report"]["unread"] == {} and result["rejected"] == []
