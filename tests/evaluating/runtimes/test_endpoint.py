"""An endpoint's answers with its counts of tokens, each asked for once; what it declines says why."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelmake.errors import UserError
from stages.evaluating.generated import Generated
from stages.evaluating.runtimes import endpoint
from stages.params.alternatives import Asked
from tests.augmenting.endpoints import IRON, TAUGHT, Proxy, method

STEAM = dict(TAUGHT)[IRON]
OTHER = "Is the blender safe for hot soup?"
REFUSED = (400, {}, '{"error": {"message": "no"}}')


def asked(*texts: str, tools: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    return [{"messages": [{"role": "user", "content": text}], "tools": tools or []} for text in texts]


def generate(url: str, folder: Path, conversations: list[dict[str, Any]], **values: Any) -> list[Generated]:
    entry = method("distill", url, **{"api": "openai", "parallel": 1, **values})
    params = msgspec.convert({name: entry[name] for name in Asked.__struct_fields__}, Asked)
    return endpoint.generate(folder, conversations, endpoint=params, archive=folder)


def test_answers_come_in_order_with_the_tokens_that_the_endpoint_counted(llama: str, tmp_path: Path) -> None:
    with Proxy(llama) as proxy:
        found = generate(proxy.url, tmp_path, asked(IRON, OTHER))
        again = generate(proxy.url, tmp_path, asked(OTHER, IRON))
        assert len(proxy.requests) == 2, "the archive has them"

    assert [answer.text for answer in found] == [STEAM, "No, let it cool first."]
    assert all(answer.prompt_tokens > 5 and answer.answer_tokens > 5 and not answer.cut for answer in found)
    assert again == found[::-1]


def test_an_answer_that_is_cut_is_kept_as_far_as_it_goes(llama: str, tmp_path: Path) -> None:
    [found] = generate(f"{llama}/v1", tmp_path, asked(IRON), max_tokens=3)

    assert found.cut and found.text and STEAM.startswith(found.text) and found.answer_tokens == 3


def test_a_request_that_is_refused_is_an_empty_answer_that_says_why(llama: str, tmp_path: Path) -> None:
    with Proxy(llama, [REFUSED]) as proxy:
        found = generate(proxy.url, tmp_path, asked(OTHER, IRON))

    assert [(answer.text, answer.declined) for answer in found] == [("", "refused_request"), (STEAM, "")]


HELD_BACK = {
    "choices": [{"message": {"content": "F"}, "finish_reason": "content_filter"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1},
}


def test_an_answer_that_is_held_back_is_declined_too(llama: str, tmp_path: Path) -> None:
    with Proxy(llama, [(200, {}, json.dumps(HELD_BACK))]) as proxy:
        found = generate(proxy.url, tmp_path, asked(OTHER, IRON))

    assert [(answer.text, answer.declined) for answer in found] == [("F", "content_filter"), (STEAM, "")]


def test_an_endpoint_that_holds_all_back_is_an_error(llama: str, tmp_path: Path) -> None:
    with (
        Proxy(llama, [(200, {}, json.dumps(HELD_BACK))]) as proxy,
        pytest.raises(UserError, match="declined every request, the first by holding the answer back"),
    ):
        generate(proxy.url, tmp_path, asked(OTHER))


def test_thoughts_of_turns_are_not_sent_and_told(
    llama: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "reasoning_content": "hm"}]
    with Proxy(llama) as proxy:
        generate(proxy.url, tmp_path, [{"messages": [*shown, {"role": "user", "content": IRON}], "tools": []}])

    assert json.loads(proxy.requests[0])["messages"][1] == {"role": "assistant", "content": "a"}
    assert "  1 questions are asked without the reasoning_content of their turns\n" in capsys.readouterr().out


def test_an_endpoint_that_refuses_all_is_an_error(llama: str, tmp_path: Path) -> None:
    with Proxy(llama, [REFUSED] * 2) as proxy, pytest.raises(UserError, match=r"declined every request, the first by"):
        generate(proxy.url, tmp_path, asked(OTHER, IRON))


def test_questions_with_tools_are_refused_before_a_request(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="1 questions have tools: want none"):
        generate("http://127.0.0.1:1/v1", tmp_path, asked(IRON, tools=[{"name": "f", "parameters": {}}]))


def test_messages_of_anthropic_are_read_with_their_tokens(llama: str, tmp_path: Path) -> None:
    answer = {
        "content": [{"type": "text", "text": "Forty grams."}], "stop_reason": "end_turn",
        "usage": {"input_tokens": 12, "output_tokens": 4},
    }  # fmt: skip
    with Proxy(llama, [(200, {}, json.dumps(answer))]) as proxy:
        [found] = generate(proxy.url, tmp_path, asked(IRON), api="anthropic", seed=None)
        sent = json.loads(proxy.requests[0])

    assert (found.text, found.cut, found.prompt_tokens, found.answer_tokens) == ("Forty grams.", False, 12, 4)
    assert "seed" not in sent and sent["messages"] == [{"role": "user", "content": IRON}]
