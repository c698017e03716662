"""What a model is asked of a held-out row."""

from typing import Any

from stages.rows import parts
from stages.rows.row import Row
from stages.rows.template_messages import template_messages


def questions(rows: list[Row]) -> list[dict[str, Any]]:
    """Each row without its answer, {messages, tools} for a chat template."""
    prompts = [parts.split(row.content) for row in rows]
    return [{"messages": template_messages(prompt.prompt), "tools": prompt.tools} for prompt in prompts]
