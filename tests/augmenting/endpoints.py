"""llama.cpp serving a tiny model that knows some answers, and a door before it that counts, refuses and holds."""

import contextlib
import http.server
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from stages.exporting.gguf import write_gguf
from tests.exporting.test_gguf import build_model, teach

PARCEL, IRON = "Where is my parcel?", "Does the iron have a steam setting?"
GOOD, BAD = "In Leipzig, due on Friday morning.", "No idea, ask somebody else."
SAID = [  # what the model was taught: of two answers to one question either may come
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


def model(folder: Path) -> Path:
    """A GGUF file of a tiny model that knows what `SAID` says."""
    import torch

    asked, answers = [[{"role": "user", "content": text}] for text, _ in SAID], [answer for _, answer in SAID]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # two wait for each other for minutes where a machine is busy
    try:
        taught = teach(build_model(folder), asked, answers)
    finally:
        torch.set_num_threads(threads)
    write_gguf(taught, folder / "model.gguf", "F32")
    return folder / "model.gguf"


def prompts(folder: Path) -> Path:
    """Prompts that are short enough for it."""
    for name, text in PROMPTS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n")
    return folder


class Door:
    """Answers with `first` (status, headers, body) as long as it has some, then lets everything through to a server."""

    def __init__(self, server: str, first: Sequence[tuple[int, dict[str, str], str]] = ()) -> None:
        self.first, self.bodies, self.answered, self.keys = list(first), [], [], []
        self.lock, self.let = threading.Lock(), threading.Semaphore(1_000_000)
        door = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                with contextlib.suppress(OSError):  # who asked may be gone
                    door.handle(self, server)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> "Door":
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def hold_after(self, n: int) -> None:
        """Lets so many requests through, and no more."""
        self.let = threading.Semaphore(n)

    def handle(self, asked: http.server.BaseHTTPRequestHandler, server: str) -> None:
        body = asked.rfile.read(int(asked.headers["Content-Length"]))
        with self.lock:
            self.bodies.append(body)
            self.keys.append(asked.headers.get("Authorization"))
            refusal = self.first.pop(0) if self.first else None
        if refusal is None:
            self.let.acquire()
            refusal = forwarded(f"{server}{asked.path}", body)
            with self.lock:
                self.answered.append(body)
        status, headers, content = refusal
        asked.send_response(status)
        for name, value in headers.items():
            asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(content.encode())))
        asked.end_headers()
        asked.wfile.write(content.encode())


def forwarded(url: str, body: bytes) -> tuple[int, dict[str, str], str]:
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
