"""The hub: a pinned dataset is read as its files, a repository is fetched once, and a failure is one line."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from modelmake.errors import UserError
from stages.reading import files
from tests.conftest import ROOT

REVISION = "0123456789abcdef" * 2 + "01234567"
PIN = {"repo": "org/name", "revision": REVISION}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache, offline, with one dataset."""
    import huggingface_hub.constants

    snapshot = tmp_path / "cache/datasets--org--name/snapshots" / PIN["revision"]
    (snapshot / "data").mkdir(parents=True)
    (snapshot / "data/test.jsonl").write_text('{"text": "a"}\n')
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return snapshot


def pinned(folder: Path, pin: object) -> Path:
    (folder / "raw").mkdir(exist_ok=True)
    (folder / "raw/d.hub.json").write_text(json.dumps(pin))
    return folder / "raw"


def test_a_pinned_dataset_is_read_as_its_files(tmp_path: Path, cache: Path) -> None:
    [file] = files.list_files(pinned(tmp_path, PIN), []).files

    assert file.name == "d.hub.json/data/test.jsonl"
    [record] = files.read(file.path, file.name)
    assert (record.value, record.split) == ({"text": "a"}, "test")


def test_a_dataset_that_is_not_there_offline_is_one_line(tmp_path: Path, cache: Path) -> None:
    raw = pinned(tmp_path, {**PIN, "repo": "org/other"})
    with pytest.raises(UserError) as error:
        files.list_files(raw, [])

    assert str(error.value) == (
        f"{raw}/d.hub.json: org/other@01234567 is not in the hub's cache, and this build is offline: "
        "run once with HF_HUB_OFFLINE=0"
    )


@pytest.mark.parametrize("pin", [{"repo": "org/name", "revision": "main"}, {"revision": PIN["revision"]}, [], "x"])
def test_an_invalid_pin_is_one_line(tmp_path: Path, pin: object) -> None:
    raw = pinned(tmp_path, pin)
    with pytest.raises(UserError) as error:
        files.list_files(raw, [])

    assert str(error.value) == (
        f'{raw}/d.hub.json: found {pin}: want {{"repo": "org/name", "revision": 40 hex digits}}'
    )


def test_a_name_that_the_hub_refuses_is_one_line(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(UserError, match="the hub says: ") as error:
        files.list_files(pinned(tmp_path, {**PIN, "repo": "no name at all"}), [])

    assert "\n" not in str(error.value)


def test_pages_are_not_fetched() -> None:
    assert "*.md" not in files.HUB_PATTERNS and {"*.parquet", "*.jsonl.zst"} <= set(files.HUB_PATTERNS)


class Hub(BaseHTTPRequestHandler):
    """The part of the hub's API that a download uses, on the loopback. Without files it serves a gated repository."""

    files: ClassVar[dict[str, bytes]] = {}
    requests: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.requests.append((self.path, self.headers.get("Authorization")))
        name = self.path.partition(f"/resolve/{REVISION}/")[2]
        headers = {"X-Repo-Commit": REVISION}
        if not self.files:
            status, body, headers = 403, b"", {"X-Error-Code": "GatedRepo"}
        elif name in self.files:
            status, body = 200, self.files[name]
            headers["ETag"] = f'"{hashlib.sha1(body).hexdigest()}"'
        elif "/org/name/tree/" in self.path:
            listed = [{"type": "file", "path": path, "size": len(self.files[path]), "oid": "0"} for path in self.files]
            status, body = 200, json.dumps(listed).encode()
        else:
            siblings = [{"rfilename": path} for path in self.files]
            status, body = 200, json.dumps({"id": "org/name", "sha": REVISION, "siblings": siblings}).encode()
        self.send_response(status)
        for header, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(header, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        pass


def fetch(folder: Path, kind: str, server: HTTPServer, **environment: str) -> tuple[str, str]:
    """stdout and stderr of a fetch in a process of its own: hub settings are read at import."""
    (folder / "pin.json").write_text(json.dumps(PIN))
    patterns = ["*.json", "*.safetensors"]
    call = f"hub.fetch(Path('pin.json'), {kind!r}, {patterns!r})"
    code = f"from pathlib import Path; from stages.reading import hub; print({call})"
    own = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    settings = {"HF_HUB_OFFLINE": "0", "HF_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    settings |= {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=own | settings | environment, capture_output=True, text=True
    )
    return done.stdout.strip(), done.stderr


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    Hub.files, Hub.requests = {}, []
    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_a_repository_is_fetched_once_at_its_revision(tmp_path: Path, kind: str, server: HTTPServer) -> None:
    expected = {"config.json": b"{}", "model.safetensors": b"weights", "tokenizer.json": b"[]"}
    Hub.files = expected | {"pytorch_model.bin": b"pickle", "modeling.py": b"import os"}

    fetched, errors = fetch(tmp_path, kind, server)
    requests = len(Hub.requests)
    again, _ = fetch(tmp_path, kind, server, HF_HUB_OFFLINE="1")

    assert fetched, errors
    assert {file.name: file.read_bytes() for file in Path(fetched).iterdir()} == expected
    assert REVISION in fetched
    assert (again, len(Hub.requests)) == (fetched, requests), "from the cache, without a request"


@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_a_gated_repository_is_one_line_and_only_the_token_of_the_environment_is_sent(
    tmp_path: Path, kind: str, server: HTTPServer
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/token").write_text("hf_stored")

    errors = [fetch(tmp_path, kind, server, HF_TOKEN="hf_secret")[1], fetch(tmp_path, kind, server)[1]]

    for error in errors:
        assert error.splitlines()[-1].endswith(
            "pin.json: org/name@01234567 is gated: want its licence accepted on its page of the hub, and a token in "
            "HF_TOKEN"
        )
    assert {token for _, token in Hub.requests} == {"Bearer hf_secret", None}
