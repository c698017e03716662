"""A statement names every released file, what it was made of, and nothing that differs between machines."""

import hashlib
import json
import shutil
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from modelmake import artifacts
from modelmake.errors import UserError
from modelmake.receipts import documents, released, statement
from modelmake.tracing.history import History
from stages.commands.domain import DOMAIN
from tests.made_up_history import MadeUpProject
from tests.modelmake.receipts import made_up_release
from tests.modelmake.receipts.made_up_release import CARD, RAW


@pytest.fixture(scope="module")
def stated(released: Path) -> dict[str, Any]:
    return json.loads((released / documents.STATEMENT).read_bytes())


def test_it_is_an_in_toto_statement_of_the_files(stated: dict[str, Any], released: Path) -> None:
    assert (stated["_type"], stated["predicateType"]) == (
        "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1",
    )  # fmt: skip
    card = CARD.encode()
    assert [subject["name"] for subject in stated["subject"]] == ["README.md", "model.gguf"]
    assert stated["subject"][0] == {
        "name": "README.md",
        "digest": {"md5": hashlib.md5(card).hexdigest(), "sha256": hashlib.sha256(card).hexdigest()},
        "annotations": {"bytes": len(card), "recorded": "reports/card.md"},
    }
    sha256 = hashlib.sha256((released / "model.gguf").read_bytes()).hexdigest()
    assert stated["subject"][1]["digest"]["sha256"] == sha256
    assert stated["subject"][1]["annotations"]["recorded"] == "models/quantized/Q8_0/model.gguf"


def test_its_predicate_has_the_fields_of_slsa_provenance(stated: dict[str, Any], project: MadeUpProject) -> None:
    predicate, head = stated["predicate"], project.git("rev-parse", "HEAD")
    build, run = predicate["buildDefinition"], predicate["runDetails"]

    assert predicate.keys() == {"buildDefinition", "runDetails"}
    assert build.keys() == {"buildType", "externalParameters", "internalParameters", "resolvedDependencies"}
    assert run == {
        "builder": {"id": "pkg:generic/modelmake"}, "metadata": {"invocationId": head}, "byproducts": run["byproducts"],
    }  # fmt: skip
    assert [resource["name"] for resource in run["byproducts"]] == ["reports/gate.json", "reports/metrics.json"]
    assert build["externalParameters"]["commit"] == head
    assert list(build["externalParameters"]["stages"]) == sorted(
        ["base", "card", "compare", "ingest", "merge@sft", "quantize@Q8_0"]
    )
    assert build["externalParameters"]["stages"]["merge@sft"]["params"] == {"train.sft.learning_rate": 0.002}


def test_data_code_and_packages_are_what_it_depends_on(stated: dict[str, Any], project: MadeUpProject) -> None:
    found = {r["name"]: r for r in stated["predicate"]["buildDefinition"]["resolvedDependencies"]}

    assert found["source"]["digest"] == {"gitCommit": project.git("rev-parse", "HEAD")}
    assert found["data/raw/tickets.jsonl"]["digest"] == {
        "md5": hashlib.md5(RAW).hexdigest(), "sha256": hashlib.sha256(RAW).hexdigest(),
    }  # fmt: skip
    assert found["data/raw/tickets.jsonl"]["annotations"]["input"] == "data/raw"
    assert found["torch"] == {"name": "torch", "uri": "pkg:pypi/torch@2.13.0%2Bcpu"}
    assert {"dvc.lock", "uv.lock", "keys/quantize.Q8_0.json", "data/base/README.md"} <= found.keys()
    assert all("uri" in resource or resource["digest"] for resource in found.values()), "in-toto wants one of them"


def test_a_clone_elsewhere_writes_the_same_bytes(released: Path, project: MadeUpProject, tmp_path: Path) -> None:
    clone = made_up_release.at(tmp_path / "other/place", project)
    project.git("clone", "-q", str(project.root), str(clone.root))
    shutil.copytree(project.root / ".dvc/cache/files", clone.root / ".dvc/cache/files")
    folder = made_up_release.write_receipts(clone, made_up_release.release(clone, tmp_path / "renamed"))

    for name in (documents.STATEMENT, documents.BILL):
        content = (folder / name).read_bytes()
        assert content == (released / name).read_bytes()
        assert str(tmp_path).encode() not in content and str(project.root).encode() not in content


def test_an_index_that_grew_with_the_builds_gives_the_same_bytes(tmp_path: Path) -> None:
    grown = MadeUpProject(tmp_path / "grown")
    for scale in (1.0, 2.0):
        made_up_release.build(grown, scale, tmp_path / "scratch")
        grown.commit(f"{scale}")
        History(grown.root)
    last = made_up_release.at(tmp_path / "last", grown)
    grown.git("clone", "-q", "--depth", "1", grown.root.as_uri(), str(last.root))
    shutil.copytree(grown.root / ".dvc/cache/files", last.root / ".dvc/cache/files")
    folder = made_up_release.release(grown, tmp_path / "desk")
    contents = [documents.of(project.root, folder, "HEAD", DOMAIN) for project in (grown, last)]

    assert contents[0] == contents[1]


def test_files_of_an_input_are_in_the_same_order_wherever_they_are_read(project: MadeUpProject, tmp_path: Path) -> None:
    copy = made_up_release.at(shutil.copytree(project.root, tmp_path / "project"), project)
    files = {"a/b.txt": b"1", "a.txt": b"2"}
    for name, content in files.items():
        (copy.root / "data/more" / name).parent.mkdir(parents=True, exist_ok=True)
        (copy.root / "data/more" / name).write_bytes(content)
    (copy.root / ".gitignore").write_text(".dvc\ndata/more\n")
    copy.stage("merge@more", {"data/more": artifacts.measure(copy.root / "data/more").md5},
               {"models/more": made_up_release.model(5.0)})  # fmt: skip
    copy.commit("More")
    folder = made_up_release.take(copy, "models/more", tmp_path / "more")

    def read() -> list[str]:
        return list(released.read(copy.root, folder, "HEAD", DOMAIN.model_suffixes).inputs["data/more"])

    assert read() == ["a.txt", "a/b.txt"], "of the workspace"
    copy.store(files)
    shutil.rmtree(copy.root / "data/more")
    assert read() == ["a.txt", "a/b.txt"], "of the cache"


def test_stages_that_the_graph_no_longer_has_made_nothing(project: MadeUpProject, tmp_path: Path) -> None:
    copy = made_up_release.at(shutil.copytree(project.root, tmp_path / "project"), project)
    folder = made_up_release.take(copy, "models/sft", tmp_path / "sft")
    graph = list(copy.stages)
    for old in ("a_ingest", "z_ingest", "a_merge", "z_merge"):
        copy.stages[old] = deepcopy(copy.stages[{"ingest": "ingest", "merge": "merge@sft"}[old[2:]]])
    copy.stages = dict(sorted(copy.stages.items()))
    (copy.root / "keys/graph.json").write_text(json.dumps(dict.fromkeys(graph, "")))
    copy.commit("Renamed")
    found = released.read(copy.root, folder, "HEAD", DOMAIN.model_suffixes)

    assert [stage.name for stage in found.chain] == ["ingest", "base", "merge@sft"]


def test_files_of_another_build_have_no_receipt_of_this_one(folder: Path, project: MadeUpProject) -> None:
    with pytest.raises(UserError, match=r"model.gguf: of the build of commit \w{10}, not of \w{10}: want files of one"):
        documents.of(project.root, folder, "HEAD~1", DOMAIN)


def test_bytes_that_no_build_made_have_none(folder: Path, project: MadeUpProject) -> None:
    (folder / "extra.py").write_text("import os")

    with pytest.raises(UserError, match=r"extra.py: md5 \w{32}: not in the build of \w{10}, and no such file there"):
        documents.of(project.root, folder, "HEAD", DOMAIN)


def test_a_file_that_git_has_by_this_name_may_be_released(folder: Path, project: MadeUpProject) -> None:
    (folder / "uv.lock").write_bytes((project.root / "uv.lock").read_bytes())
    found = released.read(project.root, folder, "HEAD", DOMAIN.model_suffixes)

    assert found.recorded["uv.lock"] == "uv.lock"
    assert statement.of(found)["subject"][2]["name"] == "uv.lock"


def test_files_of_git_alone_are_no_release(project: MadeUpProject, tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_bytes((project.root / "uv.lock").read_bytes())

    with pytest.raises(UserError, match=r"files of git alone: want a model, or another output"):
        documents.of(project.root, tmp_path, "HEAD", DOMAIN)


def test_what_it_was_made_of_must_be_here(folder: Path, project: MadeUpProject, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project.root, copy)
    lock = (copy / "dvc.lock").read_text()
    md5 = next(dep["md5"] for dep in project.stages["ingest"]["deps"] if dep["path"] == "data/raw")
    (copy / "dvc.lock").write_text(lock.replace(md5, "0" * 32 + ".dir"))
    made_up_release.at(copy, project).git("commit", "-qam", "other data")

    with pytest.raises(UserError, match=r"^data/raw: its bytes are not here: want what the files were made of"):
        documents.of(copy, folder, "HEAD", DOMAIN)


def test_the_files_of_a_model_folder_are_those_of_one_output(project: MadeUpProject, tmp_path: Path) -> None:
    found = released.read(
        project.root, made_up_release.take(project, "models/sft", tmp_path / "sft"), "HEAD", DOMAIN.model_suffixes
    )

    assert list(found.outputs) == ["models/sft"], "the base has the same tokenizer, but not these weights"
    assert found.recorded["tokenizer.json"] == "models/sft/tokenizer.json"
    assert [stage.name for stage in found.chain] == ["ingest", "base", "merge@sft"]
