"""A file or folder that is found anywhere is the recorded output with its bytes, or is told apart from the nearest."""

import json
import shutil
from pathlib import Path

import pytest

from modelmake.receipts import identified
from modelmake.receipts.identified import Identified
from modelmake.tracing.history import History
from stages.commands.domain import DOMAIN
from tests.made_up_history import MadeUpProject
from tests.modelmake.receipts import made_up_release
from tests.modelmake.receipts.made_up_release import gguf_bytes


def read(project: MadeUpProject, path: Path) -> Identified:
    return identified.read(project.root, path, path.name, History(project.root), DOMAIN)


def test_a_file_is_the_output_with_its_bytes_whatever_its_name(project: MadeUpProject, tmp_path: Path) -> None:
    file = made_up_release.take(project, "models/quantized/Q8_0", tmp_path) / "model.gguf"
    found = read(project, file.rename(tmp_path / "best-of-all.gguf"))

    head = project.git("rev-parse", "HEAD")[:10]
    assert found.lines == [f"best-of-all.gguf: is models/quantized/Q8_0/model.gguf of commit {head} (Second)"]


def test_an_older_build_is_known(project: MadeUpProject, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(gguf_bytes(tmp_path / "scratch", 1.0))

    (match,) = read(project, tmp_path / "x.gguf").matches.values()
    assert (match.output, match.subject) == ("models/quantized/Q8_0", "First")


def test_the_nearest_of_two_builds_is_named_with_what_differs(project: MadeUpProject, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(gguf_bytes(tmp_path / "scratch", 1.0, name="mine", merges=["b a"]))

    (wrong,) = read(project, tmp_path / "x.gguf").wrong
    assert "nearest is models/quantized/Q8_0/model.gguf of commit" in wrong and "(First)" in wrong
    assert wrong.endswith("it differs in setting general.name, tokenizer tokenizer.ggml.merges")


def test_a_model_folder_is_an_output(project: MadeUpProject, tmp_path: Path) -> None:
    found = read(project, made_up_release.take(project, "models/sft", tmp_path / "sft"))

    assert found.wrong == [] and {match.path for match in found.matches.values()} == {"models/sft"}
    assert found.lines[0].startswith("sft: 4 files are models/sft of commit ")


def test_a_swapped_base_is_told(project: MadeUpProject, tmp_path: Path) -> None:
    folder = made_up_release.write_receipts(project, made_up_release.take(project, "models/sft", tmp_path / "sft"))
    made_up_release.take(project, "models/base", folder)
    found = read(project, folder)

    assert {match.path for match in found.matches.values()} == {"models/base"}
    assert any("provenance.intoto.json: not what commit" in problem for problem in found.wrong)


@pytest.mark.parametrize(
    ("name", "old", "new", "part"),
    [
        ("tokenizer.json", '"a b"', '"b a"', "tokenizer tokenizer.json model.merges"),
        ("config.json", '"llama"', '"mistral"', "setting config.json model_type"),
        ("chat_template.jinja", "m.role", "m.name", "template chat_template.jinja"),
    ],
)
def test_what_differs_in_a_model_folder_is_named(
    project: MadeUpProject, tmp_path: Path, name: str, old: str, new: str, part: str
) -> None:
    folder = made_up_release.take(project, "models/sft", tmp_path / "sft")
    (folder / name).write_text((folder / name).read_text().replace(old, new))

    (wrong,) = read(project, folder).wrong
    assert wrong == f"{name}: other bytes than models/sft/{name}; no build has them; it differs in {part}"


def test_weights_with_a_changed_tensor_are_those_of_the_step_not_of_the_base(
    project: MadeUpProject, tmp_path: Path
) -> None:
    folder = made_up_release.take(project, "models/sft", tmp_path / "sft")
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[8 + int.from_bytes(content[:8], "little") + 1] ^= 1  # the first tensor by name
    (folder / "model.safetensors").write_bytes(content)

    (wrong,) = read(project, folder).wrong
    assert wrong.startswith("model.safetensors: other bytes than models/sft/model.safetensors; no build has them; ")
    assert wrong.endswith(("it differs in tensor norm", "it differs in tensor w"))


def test_a_missing_file_is_told(project: MadeUpProject, tmp_path: Path) -> None:
    folder = made_up_release.take(project, "models/sft", tmp_path / "sft")
    (folder / "config.json").unlink()

    assert read(project, folder).wrong == ["config.json: missing: models/sft has it"]


def test_each_of_two_equal_files_is_wanted(project: MadeUpProject, tmp_path: Path) -> None:
    twins = made_up_release.at(shutil.copytree(project.root, tmp_path / "project"), project)
    files = made_up_release.model(4.0) | {"a.txt": b"same", "b.txt": b"same"}
    twins.stage("merge@twins", {}, {"models/twins": files})
    twins.commit("Twins")
    folder = made_up_release.take(twins, "models/twins", tmp_path / "twins")
    (folder / "b.txt").unlink()
    assert read(twins, folder).wrong == ["b.txt: missing: models/twins has it"]

    shutil.copyfile(folder / "a.txt", folder / "c.txt")
    assert read(twins, folder).wrong == ["c.txt: renamed: models/twins has it as b.txt"]

    shutil.copyfile(folder / "a.txt", folder / "d.txt")
    assert read(twins, folder).wrong == [
        "c.txt: renamed: models/twins has it as b.txt", "d.txt: a copy: models/twins has it as a.txt",
    ]  # fmt: skip


def test_what_is_like_nothing_here_is_said_to_be_unknown(project: MadeUpProject, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"weights")

    assert read(project, tmp_path / "x.onnx").wrong == [
        "x.onnx: no build has these bytes, and no recorded file of its kind is here to compare"
    ]


def test_a_receipt_of_a_commit_that_is_not_here_is_not_believed(project: MadeUpProject, folder: Path) -> None:
    statement = json.loads((folder / "provenance.intoto.json").read_bytes())
    statement["predicate"]["buildDefinition"]["externalParameters"]["commit"] = "f" * 40
    (folder / "provenance.intoto.json").write_text(json.dumps(statement))

    (wrong,) = read(project, folder).wrong
    assert wrong.startswith("provenance.intoto.json: cannot be made again of commit ffffffffff: ")
