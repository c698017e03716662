"""Client of an endpoint of chat models: rate limit, retries, and an archive, so that no request that was answered is
sent twice. One that is refused is sent again by the next build: its server may be mended by then.
"""

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
from stages.augmenting.dialects import DIALECTS, Said
from stages.augmenting.rate_limit import RateLimit
from stages.params.augmentation import Endpoint
from stages.rows.row import Message, content_id

RETRIED_STATUSES = (408, 409, 425, 429, 500, 502, 503, 504, 529)
REFUSED_STATUSES = (400, 413, 422)  # the fault is in this request: no retry helps, others may pass
CONNECT_TIMEOUT_S = 5.0
MAX_BACKOFF_S = 60.0
MAX_RETRY_AFTER_S = 300
LOOPBACK = re.compile(r"https?://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:|/|$)")


class Declined(Exception):
    """An attempt that yields no row, with the reason and detail for the table of drops."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


class Request(NamedTuple):
    """Body of a request; the id is the hash of endpoint and body, and the key of the archive."""

    id: str
    body: dict[str, Any]


class Teacher:
    """One endpoint, for any number of threads. Its API key is read only when a request has to be sent."""

    def __init__(self, params: Endpoint, archive: Archive, where: str, api: str = "openai") -> None:
        self.params, self._archive, self._where = params, archive, f"{where}: {params.base_url}"
        self._dialect = DIALECTS[api]
        self._limit = RateLimit(params.requests_per_minute)
        self._lock = threading.Lock()
        self._request_locks: dict[str, threading.Lock] = defaultdict(threading.Lock)  # equal requests wait in turn
        self._client: httpx2.Client | None = None
        self._key = ""
        self._reached = False

    @property
    def name(self) -> str:
        return f"{self.params.model} at {self.params.base_url}"

    def request(self, messages: Sequence[Message], seed: int | None) -> Request:
        """The request that continues these messages. What is None is not sent."""
        settings = {
            "model": self.params.model,
            "temperature": self.params.temperature,
            "max_tokens": self.params.max_tokens,
            "seed": seed,
        }
        body = self._dialect.body(messages, {name: value for name, value in settings.items() if value is not None})
        return Request(content_id(msgspec.json.encode([self.params.base_url, body])), body)

    def is_archived(self, request: Request) -> bool:
        return self._archive.get(request.id) is not None

    def answer(self, request: Request) -> str:
        """The whole answer to a request, stripped.

        Raises:
            Declined: its answer is incomplete; or as `said` does.
            UserError: as `said` does.
        """
        said = self.said(request)
        if said.cut:
            raise Declined("cut_off", f"longer than max_tokens = {self.params.max_tokens}, or than the context")
        if said.held_back:
            raise Declined("content_filter", "the endpoint held the answer back")
        return said.text.strip()

    def said(self, request: Request) -> Said:
        """What the endpoint says to a request; from the archive if it is there.

        Raises:
            Declined: the endpoint refuses this request.
            UserError: the endpoint is unreachable, misconfigured, or still fails after all retries.
        """
        with self._lock:
            request_lock = self._request_locks[request.id]
        with request_lock:
            entry = self._archive.get(request.id)
            if entry is None:
                response = self._send(request.body)
                entry = {"base_url": self.params.base_url, "request": request.body, "response": response}
                self._archive.put(request.id, entry)
        return self._dialect.read(entry["response"])

    def stop(self) -> None:
        """Sends no further request; waiting ones fail."""
        self._limit.stop()

    def close(self) -> None:
        if self._client:
            self._client.close()

    def _send(self, body: dict[str, Any]) -> dict[str, Any]:
        client, problem = self._connect(), ""
        for attempt in range(self.params.retries + 1):
            if not self._limit.wait():
                raise UserError(f"{self._where}: not sent, because another request failed")
            wait_s = min(2.0**attempt, MAX_BACKOFF_S)
            try:
                url = f"{self.params.base_url.rstrip('/')}/{self._dialect.path}"
                response = client.post(url, content=msgspec.json.encode(body))
            except httpx2.TransportError as error:
                problem = f"{type(error).__name__}: {error}".rstrip(": ")
                if not self._reached and isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
                    raise UserError(f"{self._where}: {problem}: want a server there; start it") from None
            else:
                self._reached = True
                if response.status_code == 200:
                    return self._answer_in(response)
                problem = f"HTTP {response.status_code}: {self._error_text(response)}"
                if response.status_code in REFUSED_STATUSES:
                    raise Declined("refused_request", problem)
                if response.status_code not in RETRIED_STATUSES:
                    raise UserError(f"{self._where}: {problem}; {self._advice(response.status_code)}")
                asked_s = retry_after_s(response.headers.get("retry-after", ""))
                wait_s = wait_s if asked_s is None else asked_s
                if wait_s > MAX_RETRY_AFTER_S:
                    problem += f", and asks to wait {wait_s:.0f} s, more than {MAX_RETRY_AFTER_S} s"
                    break
            self._limit.pause(wait_s)
        raise UserError(
            f"{self._where}: {problem} (tried {attempt + 1} times): answers so far are kept; `dvc repro` continues "
            "from them"
        )

    def _connect(self) -> httpx2.Client:
        with self._lock:
            if self._client is None:
                if variable := self.params.api_key_env:
                    self._key = os.environ.get(variable, "")
                    if not re.fullmatch(r"[!-~]+", self._key):  # httpx would show such a key in its error
                        raise UserError(f"{self._where}: {variable}: want its key in the environment, on one line")
                self._client = httpx2.Client(
                    headers={"Content-Type": "application/json", **self._dialect.headers(self._key)},
                    timeout=httpx2.Timeout(
                        self.params.timeout_s, connect=min(CONNECT_TIMEOUT_S, self.params.timeout_s)
                    ),
                    follow_redirects=False,  # a redirect could send the key to another host
                    trust_env=not LOOPBACK.match(self.params.base_url),  # no proxy for the loopback
                )
            return self._client

    def _answer_in(self, response: httpx2.Response) -> dict[str, Any]:
        """The decoded response, if there is an answer in it."""
        with contextlib.suppress(msgspec.MsgspecError):
            decoded = msgspec.json.decode(self._without_key(response.text))
            self._dialect.read(decoded)
            return decoded
        raise UserError(
            f"{self._where}: not a chat completion: {self._error_text(response)}: want {self._dialect.wanted}"
        )

    def _without_key(self, text: str) -> str:
        """The text with the key masked: some endpoints repeat it in errors."""
        return text.replace(self._key, "[API_KEY]") if self._key else text

    def _error_text(self, response: httpx2.Response) -> str:
        """The error message of a response on one line, at most 200 characters."""
        text = self._without_key(response.text)
        with contextlib.suppress(msgspec.DecodeError, TypeError, KeyError):
            text = str(msgspec.json.decode(text)["error"]["message"])
        return " ".join(text.split())[:200] or "nothing"

    def _advice(self, status: int) -> str:
        if status in (401, 403):
            variable = self.params.api_key_env
            return f"want a valid key in {variable}" if variable else "name the variable with its key in api_key_env"
        return f"want base_url without /{self._dialect.path}, and a model that the endpoint serves"


def retry_after_s(header: str) -> float | None:
    """Seconds to wait by a Retry-After header (RFC 9110, 10.2.3: seconds or a date); None if it is neither."""
    if re.fullmatch(r"\s*\d+(\.\d+)?\s*", header):
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
