"""Every forgery of a released folder is caught: by its signature, and, where bytes were forged, without it too."""

import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from gguf import GGUFReader

from modelmake.errors import UserError
from modelmake.receipts import digests, documents, identified, signing
from modelmake.tracing.history import History
from stages.commands.domain import DOMAIN
from tests.made_up_history import MadeUpProject
from tests.modelmake.receipts import made_up_release
from tests.modelmake.receipts.made_up_release import TEMPLATE, gguf_bytes

GGUF, SIGNED, UNKNOWN = "model.gguf", "model.gguf: not the signed bytes", "no build has these bytes"


@dataclass(frozen=True)
class Shop:
    """What forgers have: the folder that is released, the project, signatures of others, a place to work."""

    project: MadeUpProject
    stale: bytes  # the signature of the release before
    foreign: bytes  # of this folder, by another key
    scratch: Path


Forge = Callable[[Path, Shop], object]


def flipped(offset: int) -> Forge:
    """Changes a bit in the first block of the Q8_0 tensor: two bytes of scale, then 32 of weights."""

    def forge(folder: Path, shop: Shop) -> None:
        (tensor,) = [t for t in GGUFReader(folder / GGUF).tensors if t.name == "blk.0.ffn_up.weight"]
        content = bytearray((folder / GGUF).read_bytes())
        content[int(tensor.data_offset) + offset] ^= 1
        (folder / GGUF).write_bytes(content)

    return forge


def rewritten(**changes: object) -> Forge:
    return lambda folder, shop: (folder / GGUF).write_bytes(gguf_bytes(shop.scratch, 2.0, **changes))


def edited(name: str, old: str, new: str) -> Forge:
    def forge(folder: Path, shop: Shop) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))

    return forge


def of_the_release_before(folder: Path, shop: Shop) -> None:
    (folder / GGUF).write_bytes(gguf_bytes(shop.scratch, 1.0))


def signature_rewritten_to_match(folder: Path, shop: Shop) -> None:
    """Other weights, and the signed list of hashes adapted to them: only the signature itself can tell."""
    rewritten(norm=0.5)(folder, shop)
    bundle = json.loads((folder / signing.SIGNATURE).read_bytes())
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    for resource in statement["predicate"]["resources"]:
        resource["digest"] = digests.of_file(folder / resource["name"]).sha256
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    (folder / signing.SIGNATURE).write_text(json.dumps(bundle))


def hooked(folder: Path, shop: Shop) -> None:
    (folder / ".git").mkdir()
    (folder / ".git/hook").write_text("true")


def linked(folder: Path, shop: Shop) -> None:
    shutil.move(folder / GGUF, shop.scratch / "elsewhere.gguf")
    (folder / GGUF).symlink_to(shop.scratch / "elsewhere.gguf")


FORGERIES: dict[str, tuple[Forge, str, str]] = {  # name: (what is done, told by the signature, told without it)
    "one weight": (flipped(5), SIGNED, "it differs in tensor blk.0.ffn_up.weight"),
    "a scale": (flipped(0), SIGNED, "it differs in tensor blk.0.ffn_up.weight"),
    "a norm": (rewritten(norm=0.99), SIGNED, "it differs in tensor output_norm.weight"),
    "the template": (rewritten(template=TEMPLATE + "x"), SIGNED, "it differs in template tokenizer.chat_template"),
    "a merge": (rewritten(merges=["b a"]), SIGNED, "it differs in tokenizer tokenizer.ggml.merges"),
    "a name": (rewritten(name="other"), SIGNED, "it differs in setting general.name"),
    "a setting": (rewritten(rope=500000.0), SIGNED, "it differs in setting llama.rope.freq_base"),
    "appended bytes": (
        lambda f, s: (f / GGUF).write_bytes((f / GGUF).read_bytes() + b"!"), SIGNED,
        "it differs in bytes between or after its parts"),
    "truncated": (lambda f, s: (f / GGUF).write_bytes((f / GGUF).read_bytes()[:-70]), SIGNED, "cannot be read"),
    "emptied": (lambda f, s: (f / GGUF).write_bytes(b""), SIGNED, "cannot be read"),
    "of the release before": (of_the_release_before, SIGNED, "of the build of commit"),
    "another card": (edited("README.md", "Answers", "Forges"), "README.md: not the signed bytes", UNKNOWN),
    "a receipt": (
        edited(documents.STATEMENT, "0.002", "0.001"), "provenance.intoto.json: not the signed bytes",
        "provenance.intoto.json: not what commit"),
    "a bill": (
        edited(documents.BILL, '"MIT"', '"ISC"'), "mlbom.cdx.json: not the signed bytes",
        "mlbom.cdx.json: not what commit"),
    "a receipt is gone": (
        lambda f, s: (f / documents.BILL).unlink(), "mlbom.cdx.json: missing", "mlbom.cdx.json: missing"),
    "a file added": (lambda f, s: (f / "run.py").write_text("pass"), "run.py: not in the signature", UNKNOWN),
    "a hidden file added": (
        lambda f, s: (f / ".gitattributes").write_text("* text"), ".gitattributes: not in the signature", UNKNOWN),
    "a hook added": (hooked, ".git/hook: not in the signature", UNKNOWN),
    "a file removed": (
        lambda f, s: (f / "README.md").unlink(), "README.md: missing", "provenance.intoto.json: not what commit"),
    "renamed": (lambda f, s: (f / GGUF).rename(f / "best.gguf"), "model.gguf: missing", "best.gguf: renamed"),
    "a link": (linked, "a link, or no file", "a link, or no file"),
    "unsigned": (lambda f, s: (f / signing.SIGNATURE).unlink(), "no model.sig: not signed", ""),
    "a stale signature": (lambda f, s: (f / signing.SIGNATURE).write_bytes(s.stale), SIGNED, ""),
    "a foreign signature": (lambda f, s: (f / signing.SIGNATURE).write_bytes(s.foreign), "model.sig: ", ""),
    "a signature to match": (signature_rewritten_to_match, "model.sig: ", "it differs in tensor output_norm.weight"),
    "no signature at all": (lambda f, s: (f / signing.SIGNATURE).write_text("{}"), "no signature of model-signing", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def signed(
    released: Path, project: MadeUpProject, signing_environment: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Shop]:
    """(the released folder, signed, the public key, what forgers have)."""
    work = tmp_path_factory.mktemp("shop")
    (private, public), (other, _) = made_up_release.keys(work, "release"), made_up_release.keys(work, "other")
    folder = shutil.copytree(released, work / "desk")
    signing.sign(folder, other)
    foreign = (folder / signing.SIGNATURE).read_bytes()
    honest = (folder / GGUF).read_bytes()
    (folder / GGUF).write_bytes(gguf_bytes(work / "scratch", 1.0))
    (folder / signing.SIGNATURE).unlink()
    signing.sign(folder, private)
    stale = (folder / signing.SIGNATURE).read_bytes()
    (folder / GGUF).write_bytes(honest)
    (folder / signing.SIGNATURE).unlink()
    assert signing.sign(folder, private) == 4, "the model, its card and two receipts"
    return folder, public, Shop(project, stale, foreign, work / "scratch")


Told = dict[str, tuple[list[str], list[str]]]


@pytest.fixture(scope="module")
def told(signed: tuple[Path, Path, Shop], tmp_path_factory: pytest.TempPathFactory) -> Told:
    """{forgery, "" of the honest folder: (problems by its signature, problems without)}."""
    folder, public, shop = signed
    folders = {"": folder}
    for name, (forge, _, _) in FORGERIES.items():
        folders[name] = shutil.copytree(folder, tmp_path_factory.mktemp("forged") / "desk")
        forge(folders[name], shop)
    by_signature, history = signing.check(list(folders.values()), public), History(shop.project.root)
    found = {}
    for name, forged in folders.items():
        try:
            wrong = identified.read(shop.project.root, forged, "desk", history, DOMAIN).wrong
        except UserError as error:
            wrong = [str(error)]
        found[name] = (by_signature[forged], wrong)
    return found


def test_the_honest_release_is_what_it_says(told: Told) -> None:
    assert told[""] == ([], [])


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_caught(told: Told, name: str) -> None:
    by_signature, without = told[name]
    _, expected, expected_without = FORGERIES[name]

    assert any(expected in problem for problem in by_signature), by_signature
    if expected_without:
        assert any(expected_without in problem for problem in without), without
    else:
        assert without == [], "the bytes are honest, and only who vouches for them is not"
