"""Texts are brought to the form that a tokenizer brings them to, wherever they are in a conversation."""

import pytest

from stages.evaluating.normal_form import in_form, of_steps

APART, COMPOSED = "Zu\u0308rich", "Zürich"


@pytest.mark.parametrize(
    ("normalizer", "form"),
    [
        (None, None),
        ({"type": "NFC"}, "NFC"),
        ({"type": "Lowercase"}, None),
        ({"type": "Sequence", "normalizers": [{"type": "Strip"}, {"type": "NFKC"}]}, "NFKC"),
    ],
)
def test_the_form_is_that_of_the_steps(normalizer: dict | None, form: str | None) -> None:
    assert of_steps(normalizer) == form


def test_every_text_of_a_conversation_is_brought_to_the_form() -> None:
    def asked(zone: str) -> dict:
        call = {"type": "function", "function": {"name": "time", "arguments": {zone: [zone, 1.0, None, True]}}}
        messages = [{"role": "user", "content": zone}, {"role": "assistant", "content": "", "tool_calls": [call]}]
        return {"messages": messages, "tools": [{"name": "time", "description": zone}]}

    assert in_form(asked(APART), "NFC") == asked(COMPOSED) != asked(APART)
    assert in_form(asked(COMPOSED), "NFD") == asked(APART)
    assert in_form(asked(APART), None) == asked(APART)
