"""A model behind an OpenAI-compatible endpoint: asked no faster than it may be, again where it fails, nothing twice."""

import contextlib
import os
import re
import threading
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import httpx2
import msgspec

from modelmake.errors import UserError
from stages.augmenting.archive import Archive
from stages.augmenting.rate_limit import Pace
from stages.params.augmentation import Endpoint
from stages.rows.row import Message, content_id

AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)  # another time it may answer
REFUSED = (400, 413, 422)  # this request, whenever it is sent
CONNECT_S = 5.0
LONGEST_WAIT_S = 300
LOCAL = re.compile(r"https?://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|/|$)")


class Declined(Exception):
    """No row comes of an attempt: the reason and what was seen."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


class Request(NamedTuple):
    """What is asked; by its id the archive has the answer."""

    id: str
    body: dict[str, Any]


class _Said(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Said
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class Teacher:
    """One endpoint, for any number of threads. Its key is only looked for where something has to be asked."""

    def __init__(self, params: Endpoint, archive: Archive, where: str) -> None:
        self.params, self._archive, self._where = params, archive, f"{where}: {params.base_url}"
        self._pace = Pace(params.requests_per_minute)
        self._guard = threading.Lock()
        self._asking: dict[str, threading.Lock] = defaultdict(threading.Lock)  # the same is not asked side by side
        self._client: httpx2.Client | None = None
        self._key = ""
        self._reached = False

    @property
    def name(self) -> str:
        return f"{self.params.model} at {self.params.base_url}"

    def request(self, messages: Sequence[Message], seed: int) -> Request:
        """What asks it to go on."""
        body = {
            "model": self.params.model,
            "messages": msgspec.to_builtins(messages),
            "temperature": self.params.temperature,
            "max_tokens": self.params.max_tokens,
            "seed": seed,
        }
        return Request(content_id(msgspec.json.encode([self.params.base_url, body])), body)

    def answer(self, request: Request) -> str:
        """What it says, from the archive where that has it.

        Raises:
            Declined: the endpoint refuses this request, or the answer is not whole.
            UserError: the endpoint cannot be asked, or no longer.
        """
        with self._guard:
            asking = self._asking[request.id]
        with asking:
            found = self._archive.get(request.id)
            if found is None:
                response = self._ask(request.body)
                found = {"base_url": self.params.base_url, "request": request.body, "response": response}
                self._archive.put(request.id, found)
        choice = msgspec.convert(found["response"], _Completion).choices[0]
        if choice.finish_reason == "length":
            raise Declined("cut_off", f"longer than max_tokens = {self.params.max_tokens}, or than the context")
        if choice.finish_reason == "content_filter":
            raise Declined("content_filter", "the endpoint held the answer back")
        return (choice.message.content or "").strip()

    def stop(self) -> None:
        """Sends no more; what waits gives up."""
        self._pace.stop()

    def close(self) -> None:
        if self._client:
            self._client.close()

    def _ask(self, body: dict[str, Any]) -> dict[str, Any]:
        client, problem = self._connected(), ""
        for number in range(self.params.retries + 1):
            if not self._pace.turn():
                raise UserError(f"{self._where}: stopped")
            wait_s = min(2.0**number, 60.0)
            try:
                url = f"{self.params.base_url.rstrip('/')}/chat/completions"
                response = client.post(url, content=msgspec.json.encode(body))
            except httpx2.TransportError as error:
                problem = f"{type(error).__name__}: {error}".rstrip(": ")
                if not self._reached and isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
                    raise UserError(f"{self._where}: {problem}: want a server there; start it") from None
            else:
                self._reached = True
                if response.status_code == 200:
                    return self._completion(response)
                problem = f"HTTP {response.status_code}: {self._shown(response)}"
                if response.status_code in REFUSED:
                    raise Declined("refused_request", problem)
                if response.status_code not in AGAIN:
                    raise UserError(f"{self._where}: {problem}; {self._advice(response.status_code)}")
                told_s = asked_wait_s(response.headers.get("retry-after", ""))
                wait_s = wait_s if told_s is None else told_s
                if wait_s > LONGEST_WAIT_S:
                    problem += f", and asks to wait {wait_s:.0f} s, at most {LONGEST_WAIT_S} are waited"
                    break
            self._pace.hold(wait_s)
        raise UserError(
            f"{self._where}: {problem} (tried {number + 1} times): what was answered is kept; `dvc repro` goes on "
            "from there"
        )

    def _connected(self) -> httpx2.Client:
        with self._guard:
            if self._client is None:
                headers = {"Content-Type": "application/json"}
                if variable := self.params.api_key_env:
                    self._key = os.environ.get(variable, "")
                    if not re.fullmatch(r"[!-~]+", self._key):  # else httpx would show it
                        raise UserError(f"{self._where}: {variable}: want its key in the environment, on one line")
                    headers["Authorization"] = f"Bearer {self._key}"
                self._client = httpx2.Client(
                    headers=headers,
                    timeout=httpx2.Timeout(self.params.timeout_s, connect=min(CONNECT_S, self.params.timeout_s)),
                    follow_redirects=False,  # the key is for this host
                    trust_env=not LOCAL.match(self.params.base_url),  # no proxy stands before the loopback
                )
            return self._client

    def _completion(self, response: httpx2.Response) -> dict[str, Any]:
        with contextlib.suppress(msgspec.MsgspecError):
            found = msgspec.json.decode(self._hidden(response.text))
            if msgspec.convert(found, _Completion).choices:
                return found
        raise UserError(
            f"{self._where}: answered no chat completion: {self._shown(response)}: want an OpenAI-compatible endpoint"
        )

    def _hidden(self, text: str) -> str:
        """Without the key, which some endpoints repeat."""
        return text.replace(self._key, "[API_KEY]") if self._key else text

    def _shown(self, response: httpx2.Response) -> str:
        """What an error says, on one line."""
        text = self._hidden(response.text)
        with contextlib.suppress(msgspec.DecodeError, TypeError, KeyError):
            text = str(msgspec.json.decode(text)["error"]["message"])
        return " ".join(text.split())[:200] or "nothing"

    def _advice(self, status: int) -> str:
        if status in (401, 403):
            variable = self.params.api_key_env
            return f"want a valid key in {variable}" if variable else "name the variable with its key in api_key_env"
        return "want base_url up to what stands before /chat/completions, and a model that it serves"


def asked_wait_s(header: str) -> float | None:
    """Seconds of a Retry-After header, which has them or a date; None where it says nothing."""
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", header):
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
