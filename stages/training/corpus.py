"""What a tiny base model is pretrained on."""

from stages.rows import parts
from stages.rows.row import Content


def texts(content: Content) -> list[str]:
    """The text of a row, or the user turns of its prompt; never an answer."""
    split = parts.split(content)
    return [split.text] if split.text else [m.content for m in split.prompt if m.role == "user"]
