"""The base model: made here, copied, or fetched, and never with code or pickles."""

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
from stages import base, rows
from stages.rows import Chat, Message, Pair, Text

ROOT = Path(__file__).parents[1]
REVISION = "0" * 40


def folder(path: Path, **config: object) -> Path:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    (path / "tokenizer.json").write_text("{}")
    (path / "tokenizer_config.json").write_text('{"chat_template": "own", "eos_token": "e"}')
    (path / "model.safetensors").write_bytes(b"weights")
    return path


def test_pretraining_sees_texts_and_questions_but_no_answer() -> None:
    chat = Chat([Message("system", "s"), Message("user", "u"), Message("assistant", "a")])
    pair = Pair([Message("user", "p")], [Message("assistant", "c")], [Message("assistant", "r")])

    assert base.texts([rows.row(content) for content in (Text("t"), chat, pair)]) == ["t", "u"]


def test_a_model_folder_is_copied_without_pickles_and_code(tmp_path: Path) -> None:
    source = folder(tmp_path / "source", model_type="llama")
    (source / "pytorch_model.bin").write_bytes(b"pickle")
    (source / "modeling.py").write_text("import os")

    base.copy(source, tmp_path / "base", None)

    assert {file.name for file in (tmp_path / "base").iterdir()} == {
        "config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors",
    }  # fmt: skip


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    source = folder(tmp_path / "source")
    (source / "model.safetensors").unlink()

    with pytest.raises(UserError, match=r"source: missing model.safetensors: want a Hugging Face model folder"):
        base.copy(source, tmp_path / "base", None)


def test_weights_are_those_of_the_index_where_there_is_one(tmp_path: Path) -> None:
    source = folder(tmp_path / "source")
    (source / "model.safetensors").rename(source / "model-00001-of-00002.safetensors")
    (source / "consolidated.safetensors").write_bytes(b"the same once more")
    weight_map = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (source / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    with pytest.raises(UserError, match=r"source: missing model-00002-of-00002.safetensors: want"):
        base.copy(source, tmp_path / "base", None)
    (source / "model-00002-of-00002.safetensors").write_bytes(b"weights")
    base.copy(source, tmp_path / "base", None)

    assert {file.name for file in (tmp_path / "base").glob("*.safetensors")} == set(weight_map.values())


def test_a_given_chat_template_is_the_only_one(tmp_path: Path) -> None:
    source = folder(tmp_path / "source")

    base.copy(source, tmp_path / "base", "given")

    assert (tmp_path / "base/chat_template.jinja").read_text() == "given"
    assert json.loads((tmp_path / "base/tokenizer_config.json").read_text()) == {"eos_token": "e"}


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    source = folder(tmp_path / "source")
    (source / "tokenizer_config.json").write_text("{}")

    with pytest.raises(UserError, match=r"source: no chat template: want one; write it into base.chat_template"):
        base.copy(source, tmp_path / "base", None)


def test_remote_code_is_refused(tmp_path: Path) -> None:
    source = folder(tmp_path / "source", auto_map={"AutoModel": "modeling.Model"})

    with pytest.raises(UserError, match=r"auto_map asks for code from the model's author"):
        base.copy(source, tmp_path / "base", None)


@pytest.mark.parametrize("revision", ['"main"', "null", '"' + "g" * 40 + '"'])
def test_a_pin_without_a_full_revision_is_refused(tmp_path: Path, revision: str) -> None:
    pin = tmp_path / "pin.json"
    pin.write_text(f'{{"repo": "org/name", "revision": {revision}}}')

    with pytest.raises(UserError, match=r'want {"repo": "org/name", "revision": 40 hex digits}'):
        base.fetch(pin)


def test_an_offline_build_says_how_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    pin = tmp_path / "pin.json"
    pin.write_text(json.dumps({"repo": "org/name", "revision": "0" * 40}))

    with pytest.raises(UserError, match=r"org/name@00000000 is not in the hub's cache, and this build is offline"):
        base.fetch(pin)


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a download asks for, on the loopback; without files, it holds a gated model."""

    files: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Authorization")))
        name = self.path.partition(f"/resolve/{REVISION}/")[2]
        headers = {"X-Repo-Commit": REVISION}
        if not self.files:
            status, body, headers = 403, b"", {"X-Error-Code": "GatedRepo"}
        elif name in self.files:
            status, body = 200, self.files[name]
            headers["ETag"] = f'"{hashlib.sha1(body).hexdigest()}"'
        elif self.path.startswith("/api/models/org/name/tree/"):
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


def fetch(folder: Path, hub: HTTPServer, **environment: str) -> tuple[str, str]:
    """stdout and stderr of a fetch in a process of its own: hub settings are read at import."""
    (folder / "pin.json").write_text(json.dumps({"repo": "org/name", "revision": REVISION}))
    code = "from pathlib import Path; from stages import base; print(base.fetch(Path('pin.json')))"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    settings = {"HF_HUB_OFFLINE": "0", "HF_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT)}
    settings |= {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_port}"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=kept | settings | environment, capture_output=True, text=True
    )
    return done.stdout.strip(), done.stderr


@pytest.fixture
def hub() -> Iterator[HTTPServer]:
    Hub.files, Hub.asked = {}, []
    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_model_of_the_hub_is_fetched_once_at_its_revision_without_pickles(tmp_path: Path, hub: HTTPServer) -> None:
    wanted = {"config.json": b"{}", "model.safetensors": b"weights", "tokenizer.json": b"[]"}
    Hub.files = wanted | {"pytorch_model.bin": b"pickle", "modeling.py": b"import os"}

    found, told = fetch(tmp_path, hub)
    requests = len(Hub.asked)
    again, _ = fetch(tmp_path, hub, HF_HUB_OFFLINE="1")

    assert found, told
    assert {file.name: file.read_bytes() for file in Path(found).iterdir()} == wanted
    assert REVISION in found
    assert (again, len(Hub.asked)) == (found, requests), "from the cache, and nobody was asked"


def test_a_gated_model_says_what_it_wants_and_only_the_environments_token_is_sent(
    tmp_path: Path, hub: HTTPServer
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/token").write_text("hf_stored")

    told = [fetch(tmp_path, hub, HF_TOKEN="hf_secret")[1], fetch(tmp_path, hub)[1]]

    for lines in told:
        assert lines.splitlines()[-1].endswith(
            "pin.json: org/name@00000000 is gated: want its licence accepted on its page of the hub, and a token in "
            "HF_TOKEN"
        )
    assert {token for _, token in Hub.asked} == {"Bearer hf_secret", None}


def test_the_tiny_model_stops_at_its_own_token_and_pads_with_another(built) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(built.path / "models/base")
    conversation = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ok"}]
    encoded = tokenizer.apply_chat_template(conversation, return_dict=True, return_assistant_tokens_mask=True)

    assert tokenizer.pad_token != tokenizer.eos_token
    assert tokenizer.decode(encoded["input_ids"]) == "<|user|>hi<|end|><|assistant|>ok<|end|>"
    learnt = [i for i, mask in zip(encoded["input_ids"], encoded["assistant_masks"], strict=True) if mask]
    assert tokenizer.decode(learnt) == "ok<|end|>"
