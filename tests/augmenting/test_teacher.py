"""Requests are sent once, no faster than allowed, again if the endpoint is busy; the key stays secret."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from modelmake.errors import UserError
from stages.augmenting.archive import Archive
from stages.augmenting.teacher import Declined, Teacher, retry_after_s
from stages.params.augmentation import Endpoint
from stages.rows.row import Message
from tests.augmenting.endpoints import IRON, TAUGHT, Proxy, method

KEY = "sk-never-to-be-seen-0123456789"
STEAM = dict(TAUGHT)[IRON]
FIELDS = set(Endpoint.__struct_fields__)


def teacher(url: str, folder: Path, api: str = "openai", **values: Any) -> Teacher:
    entry = {name: value for name, value in method("distill", url, **values).items() if name in FIELDS}
    return Teacher(msgspec.convert(entry, Endpoint), Archive(folder), "augment.methods[0]", api)


def ask(endpoint: Teacher, text: str = IRON, seed: int | None = 3) -> str:
    return endpoint.answer(endpoint.request([Message("user", text)], seed))


@pytest.fixture
def proxy(llama: str) -> Iterator[Proxy]:
    with Proxy(llama) as server:
        yield server


def test_llama_cpp_itself_answers(llama: str, tmp_path: Path) -> None:
    assert ask(teacher(f"{llama}/v1", tmp_path)) == STEAM


def test_llama_cpp_answers_anthropics_messages(proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEACHER_KEY", KEY)
    endpoint = teacher(proxy.url, tmp_path, api="anthropic", api_key_env="TEACHER_KEY")

    assert ask(endpoint, seed=None) == ask(endpoint, seed=None) == STEAM
    assert proxy.keys == [KEY] and b"seed" not in proxy.requests[0]
    with pytest.raises(Declined, match="cut_off"):
        ask(teacher(proxy.url, tmp_path, api="anthropic", max_tokens=3), seed=None)


def test_of_anthropics_messages_texts_are_read_and_refusals_declined(proxy: Proxy, tmp_path: Path) -> None:
    blocks = (
        '{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": " Yes,"}, {"type": "text", "text": " so. "}'
    )
    usage = '"usage": {"input_tokens": 12, "output_tokens": 5}'
    proxy.scripted = [
        (529, {"Retry-After": "0"}, '{"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}'),
        (200, {}, f'{{"content": [{blocks}], "stop_reason": "end_turn", {usage}}}'),
        (200, {}, '{"content": [], "stop_reason": "refusal"}'),
        (200, {}, '{"choices": []}'),
        (404, {}, '{"type": "error", "error": {"type": "not_found_error", "message": "model: tiny"}}'),
    ]
    endpoint = teacher(proxy.url, tmp_path, api="anthropic")
    turns = [Message("system", "Be brief."), Message("user", IRON)]

    said = endpoint.said(endpoint.request(turns, None))

    assert (said.text, said.prompt_tokens, said.answer_tokens) == (" Yes, so. ", 12, 5)
    body = msgspec.json.decode(proxy.requests[1])
    assert body["system"] == "Be brief." and body["messages"] == [{"role": "user", "content": IRON}]
    with pytest.raises(Declined, match="content_filter"):
        ask(endpoint, "another", seed=None)
    with pytest.raises(UserError, match=r"not a chat completion: .*: want an endpoint of Anthropic's messages$"):
        ask(endpoint, "a third", seed=None)
    with pytest.raises(UserError, match=r"HTTP 404: model: tiny; want base_url without /messages, and a model that "):
        ask(endpoint, "a fourth", seed=None)


def test_a_request_is_sent_once_and_another_seed_is_another_request(proxy: Proxy, tmp_path: Path) -> None:
    first = ask(teacher(proxy.url, tmp_path))
    again = teacher(proxy.url, tmp_path, requests_per_minute=0.001, retries=0, api_key_env="NOT_SET")

    assert first == ask(again) == STEAM
    assert len(proxy.requests) == 1
    ask(teacher(proxy.url, tmp_path), seed=4)
    ask(teacher(proxy.url, tmp_path, max_tokens=61))
    assert len(proxy.requests) == 3


def test_a_truncated_file_of_the_archive_is_asked_for_again(proxy: Proxy, tmp_path: Path) -> None:
    ask(teacher(proxy.url, tmp_path))
    (file,) = tmp_path.rglob("*.json")
    file.write_bytes(file.read_bytes()[:-40])

    assert ask(teacher(proxy.url, tmp_path)) == STEAM
    assert len(proxy.requests) == 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_endpoint_is_retried_after_the_time_that_it_asks_for(proxy: Proxy, tmp_path: Path, status: int) -> None:
    proxy.scripted = [(status, {"Retry-After": "1"}, '{"error": {"message": "busy"}}')]
    start = time.monotonic()

    assert ask(teacher(proxy.url, tmp_path)) == STEAM
    assert time.monotonic() - start >= 1
    assert len(proxy.requests) == 2


def test_retries_and_waits_are_bounded(proxy: Proxy, tmp_path: Path) -> None:
    proxy.scripted = [(503, {"Retry-After": "0"}, '{"error": {"message": "Loading\\nmodel"}}')] * 9
    with pytest.raises(UserError) as error:
        ask(teacher(proxy.url, tmp_path))

    assert str(error.value) == (
        f"augment.methods[0]: {proxy.url}: HTTP 503: Loading model (tried 3 times): answers so far are kept; "
        "`dvc repro` continues from them"
    )
    assert len(proxy.requests) == 3
    proxy.scripted = [(429, {"Retry-After": "3600"}, "")]
    with pytest.raises(UserError, match="HTTP 429: nothing, and asks to wait 3600 s, more than 300 s"):
        ask(teacher(proxy.url, tmp_path))


def test_a_silent_endpoint_times_out(proxy: Proxy, tmp_path: Path) -> None:
    proxy.hold_after(0)
    with pytest.raises(UserError, match=r"ReadTimeout: .*timed out \(tried 1 times\): answers so far are kept"):
        ask(teacher(proxy.url, tmp_path, timeout_s=0.3, retries=0))


def test_an_endpoint_that_is_down_fails_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(UserError, match=r"^augment.methods\[0\]: http://127.0.0.1:\d+/v1: ConnectError: .*start it$"):
        ask(teacher(f"http://127.0.0.1:{port}/v1", tmp_path, retries=9))
    assert time.monotonic() - start < 3


def test_a_wrong_address_or_a_missing_key_is_an_error(proxy: Proxy, tmp_path: Path) -> None:
    proxy.scripted = [
        (404, {}, "<html>\nno"),
        (401, {}, '{"error": {"message": "no key"}}'),
        (200, {}, "hello"),
        (200, {}, '{"choices": []}'),
        (302, {"Location": "http://127.0.0.1:1/"}, ""),
    ]
    for message in (
        r"HTTP 404: <html> no; want base_url without /chat/completions, and a model that the endpoint serves$",
        r"HTTP 401: no key; name the variable with its key in api_key_env$",
        r"not a chat completion: hello: want an OpenAI-compatible endpoint$",
        r'not a chat completion: \{"choices": \[\]\}: want',
        r"HTTP 302: nothing; want base_url",
    ):
        with pytest.raises(UserError, match=message):
            ask(teacher(proxy.url, tmp_path))
    assert len(proxy.requests) == 5


def test_a_refused_or_truncated_answer_is_declined(proxy: Proxy, tmp_path: Path) -> None:
    with pytest.raises(Declined) as error:
        ask(teacher(proxy.url, tmp_path), "word " * 400)  # llama.cpp's own refusal
    assert error.value.reason == "refused_request" and error.value.detail.startswith("HTTP 400: ")
    with pytest.raises(Declined) as error:
        ask(teacher(proxy.url, tmp_path, max_tokens=3))
    assert (error.value.reason, error.value.detail) == ("cut_off", "longer than max_tokens = 3, or than the context")
    proxy.scripted = [(200, {}, '{"choices": [{"message": {"content": null}, "finish_reason": "content_filter"}]}')]
    with pytest.raises(Declined, match="content_filter"):
        ask(teacher(proxy.url, tmp_path), "another question")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_request_is_sent_again_as_the_server_may_be_mended(tmp_path: Path, status: int) -> None:
    answer = '{"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}'
    with Proxy("", [(status, {}, "no"), (200, {}, answer)]) as proxy:
        with pytest.raises(Declined, match="refused_request"):
            ask(teacher(proxy.url, tmp_path))
        mended = teacher(proxy.url, tmp_path)

        assert not mended.is_archived(mended.request([Message("user", IRON)], 3))
        assert ask(mended) == ask(mended) == "Yes."
        assert len(proxy.requests) == 2


def test_the_key_goes_to_the_endpoint_and_nowhere_else(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEACHER_KEY", KEY)
    proxy.scripted = [(401, {}, f'{{"error": {{"message": "Incorrect API key: {KEY}"}}}}')]
    with pytest.raises(UserError, match=r"Incorrect API key: \[API_KEY\]; want a valid key in TEACHER_KEY") as error:
        ask(teacher(proxy.url, tmp_path, api_key_env="TEACHER_KEY"))
    assert KEY not in str(error.value)
    proxy.scripted = [(200, {}, f'{{"choices": [{{"message": {{"content": "your key is {KEY}"}}}}]}}')]

    assert ask(teacher(proxy.url, tmp_path, api_key_env="TEACHER_KEY")) == "your key is [API_KEY]"
    assert proxy.keys == [f"Bearer {KEY}"] * 2
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


@pytest.mark.parametrize("value", ["", f"{KEY}\nmore", "schlüssel"])
def test_an_unusable_key_is_an_error_that_does_not_show_it(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TEACHER_KEY", value)
    with pytest.raises(UserError) as error:
        ask(teacher(proxy.url, tmp_path, api_key_env="TEACHER_KEY"))

    assert str(error.value) == (
        f"augment.methods[0]: {proxy.url}: TEACHER_KEY: want its key in the environment, on one line"
    )
    assert proxy.requests == []


def test_requests_per_minute_are_limited(proxy: Proxy, tmp_path: Path) -> None:
    endpoint = teacher(proxy.url, tmp_path, requests_per_minute=120.0)
    start = time.monotonic()
    for seed in range(4):
        ask(endpoint, seed=seed)

    assert time.monotonic() - start >= 1.5


def test_retry_after_has_seconds_or_a_date() -> None:
    now = datetime.now(UTC)

    assert [retry_after_s(header) for header in ("7", " 2.5 ", "", "soon")] == [7, 2.5, None, None]
    assert retry_after_s(format_datetime(now - timedelta(hours=1))) == 0
    assert 50 < retry_after_s(format_datetime(now + timedelta(seconds=60))) <= 61
