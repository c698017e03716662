"""A teacher is asked once, no faster than it may be, again where it is busy, and its key is nowhere."""

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
from stages.augmenting.teacher import Declined, Teacher, asked_wait_s
from stages.params.augmentation import Endpoint
from stages.rows.row import Message
from tests.augmenting.endpoints import IRON, SAID, Door, method

KEY = "sk-never-to-be-seen-0123456789"
STEAM = dict(SAID)[IRON]
OWN = {name for name in Endpoint.__struct_fields__}


def teacher(url: str, folder: Path, **values: Any) -> Teacher:
    entry = {name: value for name, value in method("distill", url, **values).items() if name in OWN}
    return Teacher(msgspec.convert(entry, Endpoint), Archive(folder), "augment.methods[0]")


def ask(asked: Teacher, text: str = IRON, seed: int = 3) -> str:
    return asked.answer(asked.request([Message("user", text)], seed))


@pytest.fixture
def door(llama: str) -> Iterator[Door]:
    with Door(llama) as found:
        yield found


def test_llama_cpp_itself_answers(llama: str, tmp_path: Path) -> None:
    assert ask(teacher(f"{llama}/v1", tmp_path)) == STEAM


def test_what_was_answered_is_not_asked_again_but_another_seed_is(door: Door, tmp_path: Path) -> None:
    first = ask(teacher(door.url, tmp_path))
    again = teacher(door.url, tmp_path, requests_per_minute=0.001, retries=0, api_key_env="NOT_SET")

    assert first == ask(again) == STEAM
    assert len(door.bodies) == 1
    ask(teacher(door.url, tmp_path), seed=4)
    ask(teacher(door.url, tmp_path, max_tokens=61))
    assert len(door.bodies) == 3


def test_an_answer_that_was_torn_is_asked_again(door: Door, tmp_path: Path) -> None:
    ask(teacher(door.url, tmp_path))
    (file,) = tmp_path.rglob("*.json")
    file.write_bytes(file.read_bytes()[:-40])

    assert ask(teacher(door.url, tmp_path)) == STEAM
    assert len(door.bodies) == 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_endpoint_is_asked_again_after_the_time_that_it_asks_for(
    door: Door, tmp_path: Path, status: int
) -> None:
    door.first = [(status, {"Retry-After": "1"}, '{"error": {"message": "busy"}}')]
    start = time.monotonic()

    assert ask(teacher(door.url, tmp_path)) == STEAM
    assert time.monotonic() - start >= 1
    assert len(door.bodies) == 2


def test_retries_are_bounded_and_what_is_wrong_is_told(door: Door, tmp_path: Path) -> None:
    door.first = [(503, {"Retry-After": "0"}, '{"error": {"message": "Loading\\nmodel"}}')] * 9
    with pytest.raises(UserError) as told:
        ask(teacher(door.url, tmp_path))

    assert str(told.value) == (
        f"augment.methods[0]: {door.url}: HTTP 503: Loading model (tried 3 times): what was answered is kept; "
        "`dvc repro` goes on from there"
    )
    assert len(door.bodies) == 3
    door.first = [(429, {"Retry-After": "3600"}, "")]
    with pytest.raises(UserError, match="HTTP 429: nothing, and asks to wait 3600 s, at most 300 are waited"):
        ask(teacher(door.url, tmp_path))


def test_an_endpoint_that_is_silent_is_given_up(door: Door, tmp_path: Path) -> None:
    door.hold_after(0)
    with pytest.raises(UserError, match=r"ReadTimeout: .*timed out \(tried 1 times\): what was answered is kept"):
        ask(teacher(door.url, tmp_path, timeout_s=0.3, retries=0))


def test_an_endpoint_that_is_down_is_told_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(UserError, match=r"^augment.methods\[0\]: http://127.0.0.1:\d+/v1: ConnectError: .*start it$"):
        ask(teacher(f"http://127.0.0.1:{port}/v1", tmp_path, retries=9))
    assert time.monotonic() - start < 3


def test_what_is_no_endpoint_or_asks_for_a_key_is_told(door: Door, tmp_path: Path) -> None:
    door.first = [
        (404, {}, "<html>\nno"),
        (401, {}, '{"error": {"message": "no key"}}'),
        (200, {}, "hello"),
        (200, {}, '{"choices": []}'),
        (302, {"Location": "http://127.0.0.1:1/"}, ""),
    ]
    for message in (
        r"HTTP 404: <html> no; want base_url up to what stands before /chat/completions, and a model that it serves$",
        r"HTTP 401: no key; name the variable with its key in api_key_env$",
        r"answered no chat completion: hello: want an OpenAI-compatible endpoint$",
        r'answered no chat completion: \{"choices": \[\]\}: want',
        r"HTTP 302: nothing; want base_url",
    ):
        with pytest.raises(UserError, match=message):
            ask(teacher(door.url, tmp_path))
    assert len(door.bodies) == 5


def test_a_request_that_is_refused_or_cut_off_gives_no_answer(door: Door, tmp_path: Path) -> None:
    with pytest.raises(Declined) as told:
        ask(teacher(door.url, tmp_path), "word " * 400)  # llama.cpp's own refusal
    assert told.value.reason == "refused_request" and told.value.detail.startswith("HTTP 400: ")
    with pytest.raises(Declined) as told:
        ask(teacher(door.url, tmp_path, max_tokens=3))
    assert (told.value.reason, told.value.detail) == ("cut_off", "longer than max_tokens = 3, or than the context")
    door.first = [(200, {}, '{"choices": [{"message": {"content": null}, "finish_reason": "content_filter"}]}')]
    with pytest.raises(Declined, match="content_filter"):
        ask(teacher(door.url, tmp_path), "another question")


def test_the_key_goes_to_the_endpoint_and_nowhere_else(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEACHER_KEY", KEY)
    door.first = [(401, {}, f'{{"error": {{"message": "Incorrect API key: {KEY}"}}}}')]
    with pytest.raises(UserError, match=r"Incorrect API key: \[API_KEY\]; want a valid key in TEACHER_KEY") as told:
        ask(teacher(door.url, tmp_path, api_key_env="TEACHER_KEY"))
    assert KEY not in str(told.value)
    door.first = [(200, {}, f'{{"choices": [{{"message": {{"content": "your key is {KEY}"}}}}]}}')]

    assert ask(teacher(door.url, tmp_path, api_key_env="TEACHER_KEY")) == "your key is [API_KEY]"
    assert door.keys == [f"Bearer {KEY}"] * 2
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


@pytest.mark.parametrize("value", ["", f"{KEY}\nmore", "schlüssel"])
def test_a_key_that_is_none_is_told_without_it(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("TEACHER_KEY", value)
    with pytest.raises(UserError) as told:
        ask(teacher(door.url, tmp_path, api_key_env="TEACHER_KEY"))

    assert str(told.value) == (
        f"augment.methods[0]: {door.url}: TEACHER_KEY: want its key in the environment, on one line"
    )
    assert door.bodies == []


def test_requests_are_no_more_than_a_minute_may_have(door: Door, tmp_path: Path) -> None:
    asked = teacher(door.url, tmp_path, requests_per_minute=120.0)
    start = time.monotonic()
    for seed in range(4):
        ask(asked, seed=seed)

    assert time.monotonic() - start >= 1.5


def test_a_wait_is_read_from_seconds_or_a_date() -> None:
    now = datetime.now(UTC)

    assert (asked_wait_s("7"), asked_wait_s(" 2.5 "), asked_wait_s(""), asked_wait_s("soon")) == (7, 2.5, None, None)
    assert asked_wait_s(format_datetime(now - timedelta(hours=1))) == 0
    assert 50 < asked_wait_s(format_datetime(now + timedelta(seconds=60))) <= 61
