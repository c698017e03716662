"""A file or folder is identified by its bytes and traced to the build that made it."""

import json
import re
import shutil
from pathlib import Path

from tests.made_up_history import MadeUpProject
from tests.modelmake.tracing.kettle_build import BASE, RAW


def copied_model(project: MadeUpProject, folder: Path) -> Path:
    """A copy of models/sft of the last build."""
    folder.mkdir(parents=True)
    merged = project.stages["merge@sft"]["outs"][0]["md5"]
    for file in json.loads(project.cached(merged).read_text()):
        shutil.copyfile(project.cached(file["md5"]), folder / file["relpath"])
    return folder


def test_a_folder_outside_any_repository_is_identified(project: MadeUpProject, tmp_path: Path) -> None:
    report = project.json(str(copied_model(project, tmp_path / "downloads/best")))

    assert (report["output"], report["stage"], report["note"]) == ("models/sft", "merge@sft", "")
    assert [commit["subject"] for commit in report["commits"]] == ["Second"]
    chain = [stage["stage"] for stage in report["stages"]]
    assert chain == ["ingest", "clean", "dedup", "split", "train@sft", "merge@sft"]
    assert [(data["path"], data["md5"]) for data in report["data"]] == [("data/raw", RAW), ("models/base", BASE)]
    (consumed,) = report["consumed"]
    assert [(row["step"], row["id"], row["sources"]) for row in consumed["rows"]] == [
        (1, "e", ["data/raw/mail.jsonl:5", "data/raw/more/mail.jsonl:9"]),
        (1, "b", ["data/raw/mail.jsonl:2"]),
        (2, "a2", ["data/raw/mail.jsonl:1"]),
    ]
    assert consumed["files"] == {"data/raw/mail.jsonl": 3, "data/raw/more/mail.jsonl": 1}
    assert report["unknown"] == [{"stage": "train@sft", "path": "models/base"}], "no stage made it"
    assert report["stages"][4]["parameters"] == {"train.sft.learning_rate": 0.2}


def test_a_file_of_a_model_is_identified(project: MadeUpProject, tmp_path: Path) -> None:
    file = copied_model(project, tmp_path / "x") / "model.safetensors"

    report = project.json(str(file))

    assert (report["output"], report["file"], report["stage"]) == ("models/sft", "model.safetensors", "merge@sft")


def test_a_folder_with_another_file_names_it(project: MadeUpProject, tmp_path: Path) -> None:
    folder = copied_model(project, tmp_path / "x")
    (folder / "README.md").write_text("mine")

    report = project.json(str(folder))

    assert report["output"] == "models/sft"
    assert report["note"] == "2 of its 3 files are in this output; not in it: README.md"


def test_a_folder_that_lacks_a_file_is_identified(project: MadeUpProject, tmp_path: Path) -> None:
    folder = copied_model(project, tmp_path / "x")
    (folder / "config.json").unlink()

    report = project.json(str(folder))

    assert report["output"] == "models/sft"
    assert report["note"] == "1 of its 1 files are in this output; others of the output are not here, or renamed"


def test_a_model_of_an_old_commit_is_traced_to_that_commit(project: MadeUpProject, tmp_path: Path) -> None:
    project.git("checkout", "-q", "HEAD~")
    lock = (project.root / "dvc.lock").read_text()
    project.git("checkout", "-q", "main")
    old = re.search(r"- path: models/sft\n\s+hash: md5\n\s+md5: (\w+\.dir)", lock)[1]
    project.stages["merge@sft"]["outs"][0]["md5"] = old

    report = project.json(str(copied_model(project, tmp_path / "old")))

    assert [commit["subject"] for commit in report["commits"]] == ["First"]
    assert report["working_tree"] is False
    assert [row["id"] for row in report["consumed"][0]["rows"]] == ["b", "a2", "a2", "f"]


def test_an_output_that_is_not_checked_out_is_traced_as_recorded(project: MadeUpProject) -> None:
    report = project.json("models/sft")

    assert report["note"] == "not in the workspace; as dvc.lock of the working tree records it"


def test_an_unknown_file_is_one_line_and_exit_code_1(project: MadeUpProject, tmp_path: Path) -> None:
    (tmp_path / "other.gguf").write_text("another's model")

    code, output = project.trace(str(tmp_path / "other.gguf"))

    assert (code, output.count("\n")) == (1, 1)
    assert "no dvc.lock of any commit has it" in output


def test_an_output_of_no_build_is_one_line_and_exit_code_1(project: MadeUpProject) -> None:
    code, output = project.trace("models/never")

    assert (code, output.count("\n")) == (1, 1)
    assert output.startswith("models/never: no such file or folder, and no build has such an output")


def test_code_and_packages_are_those_of_the_commit(project: MadeUpProject) -> None:
    key = {"python": "3.11", "modules": {"stages.train": "1" * 16}, "packages": {"torch": "2.13.0"}, "environments": {}}
    (project.root / "keys").mkdir()
    for version in ("2.13.0", "2.14.0"):
        key["packages"]["torch"] = version
        text = json.dumps(key).encode()
        (project.root / "keys/train.sft.json").write_bytes(text)
        dep = {"path": "keys/train.sft.json", "hash": "md5", "md5": project.store(text), "size": 1}
        project.stages["train@sft"]["deps"] = [*project.stages["train@sft"]["deps"][-2:], dep]
        if version == "2.13.0":
            project.commit("With a key")
    project.git("commit", "-qam", "A key whose build is not committed")

    (train,) = [stage for stage in project.json("models/sft")["stages"] if stage["stage"] == "train@sft"]

    assert train["code"]["key"]["packages"] == {"torch": "2.13.0"}
