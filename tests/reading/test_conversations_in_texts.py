"""Texts that are conversations are told: those that are read as lists of messages, and transcripts, which are not."""

import pytest

from stages.params.data import FileRule
from stages.reading.conversations_in_texts import style_of
from stages.reading.record_reader import RecordReader

LIST = '[{"role": "assistant", "content": "a"}]'


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nyes", "ChatML"),
        ("<|start_header_id|>user<|end_header_id|>\n\nq<|start_header_id|>assistant<|end_header_id|>\n\na", "Llama 3"),
        ("<s>[INST] q [/INST] a </s>", "Llama 2 or Mistral"),
        ("<start_of_turn>user\nq<end_of_turn>\n<start_of_turn>model\na", "Gemma"),
        ("<|user|>\nq<|assistant|>\na", "Zephyr or Phi"),
        ("### Human: hi### Assistant: hello", "Guanaco"),
        ("Below is an instruction.\n\n### Instruction:\nq\n\n### Response:\na", "Alpaca"),
        ("A chat. USER: q ASSISTANT: a</s>", "Vicuna"),
        ("\n\nHuman: q\n\nAssistant: a", "Human and Assistant"),
        ("User: q\nAssistant: a", "User and Assistant"),
        ("The user asks, and the assistant answers.", ""),
        ("### Response:\na\n### Instruction:\nq", ""),
        ("x" * 3000 + "### Human: hi### Assistant: hello", ""),
    ],
)
def test_the_style_of_a_transcript_is_named(text: str, style: str) -> None:
    assert style_of(text) == style


def test_transcripts_stay_texts_and_are_told_with_their_number() -> None:
    reader = RecordReader(None, None)
    for text in ("### Human: 1### Assistant: 2", "### Human: 3### Assistant: 4", "No transcript."):
        contents, _ = reader.read({"text": text})
        assert contents == [b'{"kind":"text","text":"%s"}' % text.encode()]

    (note,) = reader.conversations.notes()
    assert note.startswith(
        "2 texts are transcripts of chats (Guanaco), such as '### Human: 1### Assistant: 2', and are"
    )


def test_a_text_that_is_read_as_a_list_of_messages_is_told_with_its_field() -> None:
    reader = RecordReader(FileRule("*", "completion", {"prompt": "q", "completion": "reply"}, []), None)

    contents, _ = reader.read({"q": "u", "reply": LIST})
    reader.read({"q": "u", "reply": "[1]"})

    assert contents == [
        b'{"kind":"chat","messages":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}]}'
    ]
    (note,) = reader.conversations.notes()
    assert note.startswith(
        f"1 texts of its field reply are lists of messages and are read as these, such as {LIST!r}: map"
    )


def test_a_text_that_is_mapped_to_an_answer_stays_though_it_is_a_list_of_messages() -> None:
    reader = RecordReader(FileRule("*", "qa", {"question": "q", "answer": "reply"}, []), None)

    (content,), _ = reader.read({"q": "u", "reply": LIST})

    assert b'"content":"[{\\"role' in content and reader.conversations.notes() == []
