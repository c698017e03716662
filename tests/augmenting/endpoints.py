"""An endpoint for tests: llama.cpp with a tiny model that knows some answers, behind a proxy that can count, refuse and
hold requests back."""

import contextlib
import http.server
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from stages.exporting.gguf_writer import write_gguf
from tests.tiny_models import build_model, teach

PARCEL, IRON = "Where is my parcel?", "Does the iron have a steam setting?"
GOOD, BAD = "In Leipzig, due on Friday morning.", "No idea, ask somebody else."
TAUGHT = [  # (question, answer); a question with two answers gets either
    (PARCEL, GOOD),
    (PARCEL, BAD),
    (IRON, "Yes, up to 40 grams a minute."),
    (f"Rewrite: {IRON}", "Can I press shirts with vapour on this one?"),
    (f"Harder: {IRON}", "Which steam setting suits silk, and why?"),
    ("Which steam setting suits silk, and why?", "The lowest, as silk scorches."),
    (f"Another like:\n1. {IRON}", "Is the blender safe for hot soup?"),
    ("Is the blender safe for hot soup?", "No, let it cool first."),
    (f"Judge user: {PARCEL} / {GOOD}", "Helpful. Score: 9"),
    (f"Judge user: {PARCEL} / {BAD}", "Useless. Score: 2"),
]
PROMPTS = {
    "rewrite.txt": "Rewrite: {question}",
    "self_instruct.txt": "Another like:\n{examples}",
    "judge.txt": "Judge {conversation} / {answer}",
    **{
        f"evol_instruct/{way}.txt": "Harder: {question}"
        for way in ("broaden", "concrete", "constraints", "deepen", "reasoning")
    },
}


def model(folder: Path, taught: Sequence[tuple[str, str]] = TAUGHT) -> Path:
    """A GGUF file of a tiny model that was trained on questions and answers."""
    import torch

    questions = [{"messages": [{"role": "user", "content": text}], "tools": []} for text, _ in taught]
    answers = [answer for _, answer in taught]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two threads wait for each other for minutes on a busy machine
    try:
        taught = teach(build_model(folder), questions, answers)
    finally:
        torch.set_num_threads(threads)
    write_gguf(taught, folder / "model.gguf", "F32")
    return folder / "model.gguf"


def prompts(folder: Path) -> Path:
    """Writes prompts that are short enough for the tiny model."""
    for name, text in PROMPTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n")
    return folder


class Proxy:
    """Records requests, answers the first of them with `scripted` (status, headers, body), and forwards the rest."""

    def __init__(self, server: str, scripted: Sequence[tuple[int, dict[str, str], str]] = ()) -> None:
        self.scripted = list(scripted)
        self.requests: list[bytes] = []
        self.forwarded: list[bytes] = []  # requests that the server has answered
        self.keys: list[str | None] = []  # of each request, by the header of either dialect
        self.lock, self.permits = threading.Lock(), threading.Semaphore(1_000_000)
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                with contextlib.suppress(OSError):  # the client may be gone
                    proxy.handle(self, server)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def hold_after(self, n: int) -> None:
        """Forwards n more requests, then holds all others back until `permits` are released."""
        self.permits = threading.Semaphore(n)

    def handle(self, client: http.server.BaseHTTPRequestHandler, server: str) -> None:
        body = client.rfile.read(int(client.headers["Content-Length"]))
        with self.lock:
            self.requests.append(body)
            self.keys.append(client.headers.get("Authorization") or client.headers.get("x-api-key"))
            response = self.scripted.pop(0) if self.scripted else None
        if response is None:
            self.permits.acquire()
            response = forward(f"{server}{client.path}", body)
            with self.lock:
                self.forwarded.append(body)
        status, headers, content = response
        client.send_response(status)
        for name, value in headers.items():
            client.send_header(name, value)
        client.send_header("Content-Length", str(len(content.encode())))
        client.end_headers()
        client.wfile.write(content.encode())


def forward(url: str, body: bytes) -> tuple[int, dict[str, str], str]:
    request = Request(url, body, {"Content-Type": "application/json", "Connection": "close"})
    try:
        with build_opener(ProxyHandler({})).open(request) as response:
            return response.status, {}, response.read().decode()
    except HTTPError as error:
        return error.code, {}, error.read().decode()


def method(tag: str, url: str, **values: Any) -> dict[str, Any]:
    """An entry of augment.methods."""
    endpoint = {
        "base_url": url, "model": "tiny", "api_key_env": None, "temperature": 0.0, "max_tokens": 60, "seed": 3,
        "requests_per_minute": None, "timeout_s": 30.0, "retries": 2,
    }  # fmt: skip
    own: dict[str, Any] = {}
    if tag == "self_instruct":
        own = {"examples": 1}
    if tag == "rank":
        own = {"samples": 8, "temperature": 1.0, "judge": endpoint}
    return json.loads(json.dumps({"method": tag, **endpoint, "rows": None, "parallel": 2, **own, **values}))
