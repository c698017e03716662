"""`modelmake verify PATH` of what was found anywhere, and `modelmake release receipt`, as typed."""

import argparse
import contextlib
import io
import json
import shutil
from pathlib import Path

import pytest

from modelmake.errors import UserError
from modelmake.receipts import checking, documents
from modelmake.verifying import verify
from stages.commands.domain import DOMAIN
from tests.made_up_history import MadeUpProject
from tests.modelmake.receipts import made_up_release


def command(project: MadeUpProject, here: Path, *arguments: str) -> tuple[int, str]:
    """(exit code, output) of `modelmake verify` in a folder."""
    parser = argparse.ArgumentParser()
    verify.arguments(parser)
    options = parser.parse_args(arguments, argparse.Namespace(domain=DOMAIN, here=here))
    with contextlib.chdir(project.root), contextlib.redirect_stdout(io.StringIO()) as printed:
        code = verify.run(options)
    return code, printed.getvalue()


def receipt(project: MadeUpProject, here: Path, *arguments: str) -> list[str]:
    parser = argparse.ArgumentParser()
    documents.arguments(parser)
    options = parser.parse_args(arguments, argparse.Namespace(domain=DOMAIN, here=here))
    with contextlib.chdir(project.root):
        return documents.write(Path(), options)


def test_a_signed_release_is_checked_with_the_public_key_alone(
    project: MadeUpProject, tmp_path: Path, signing_environment: None
) -> None:
    folder = made_up_release.release(project, tmp_path / "desk")
    made_up_release.keys(tmp_path, "release")
    lines = receipt(project, tmp_path, "desk", "--key", "release.pem")
    assert lines[-1] == f"{folder}/model.sig: signs 4 files"

    code, output = command(project, tmp_path, "desk", "--signature", "release.pub")
    assert (code, output.splitlines()[-1]) == (0, "desk: signed: every byte, by this key")

    (folder / "README.md").write_text("forged")
    code, output = command(project, tmp_path, "desk", "--signature", "release.pub")
    assert code == 1 and "desk: signature: README.md: not the signed bytes\n" in output


def test_new_receipts_end_an_old_signature(project: MadeUpProject, tmp_path: Path) -> None:
    folder = made_up_release.release(project, tmp_path / "desk")
    (folder / "model.sig").write_text("of other bytes")
    receipt(project, tmp_path, "desk")

    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "mlbom.cdx.json", "model.gguf", "provenance.intoto.json",
    ]  # fmt: skip


def test_a_file_is_identified_from_any_folder(project: MadeUpProject, tmp_path: Path) -> None:
    made_up_release.take(project, "models/quantized/Q8_0", tmp_path / "downloads")
    code, output = command(project, tmp_path, "downloads/model.gguf")

    assert code == 0 and output.startswith("downloads/model.gguf: is models/quantized/Q8_0/model.gguf of commit ")


def test_programs_get_json(project: MadeUpProject, tmp_path: Path) -> None:
    made_up_release.take(project, "models/sft", tmp_path / "sft")
    (tmp_path / "sft/config.json").write_text("{}")
    code, output = command(project, tmp_path, "sft", "--json")
    (found,) = json.loads(output)["found"]

    assert code == 1
    assert found["matches"]["tokenizer.json"]["output"] == "models/sft"
    assert found["nearest"]["config.json"]["stage"] == "merge@sft"


def test_what_no_commit_made_is_not_made_again_at_another(project: MadeUpProject, tmp_path: Path) -> None:
    loose = made_up_release.at(shutil.copytree(project.root, tmp_path / "project"), project)
    made_up_release.build(loose, 3.0, tmp_path / "scratch")
    loose.write()
    made_up_release.take(loose, "models/quantized/Q8_0", tmp_path / "desk")

    with pytest.raises(UserError) as error:
        command(loose, tmp_path, "desk", "--rebuild")
    assert str(error.value) == ("--rebuild: models/quantized/Q8_0: of a build without a commit: commit the build first")


def test_a_copy_in_a_folder_of_the_project_is_not_taken_for_the_artifact(
    project: MadeUpProject, tmp_path: Path
) -> None:
    copy = made_up_release.at(shutil.copytree(project.root, tmp_path / "project"), project)
    (copy.root / "dvc.yaml").write_text("stages: {sft: {cmd: 'true', outs: [models/sft]}}\n")
    made_up_release.take(copy, "models/sft", copy.root / "models/sft")
    desk = made_up_release.take(copy, "models/sft", copy.root / "desk/models/sft")
    (desk / "config.json").write_text("{}")
    options = argparse.Namespace(names=["models/sft"], signature=None, here=copy.root / "desk")
    with contextlib.chdir(copy.root):
        assert checking.found(Path(), options) == {"models/sft": desk}

        options.names, options.here = ["sft/config.json"], copy.root / "models"
        assert checking.found(Path(), options) == {}
    assert options.names == ["models/sft/config.json"], "as artifacts are named"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["desk", "--replace"], "--remote, --replace, --tolerance: for artifacts of this build: leave them out"),
        (["gone", "--signature", "release.pub"], "--signature: checks folders of releases: want their paths, with the"),
        (["desk", "--signature", "gone.pub"], "gone.pub: No such file or directory: want a public key in PEM"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(
    project: MadeUpProject, tmp_path: Path, arguments: list[str], message: str
) -> None:
    made_up_release.release(project, tmp_path / "desk")

    with pytest.raises(UserError) as error:
        command(project, tmp_path, *arguments)
    assert message in str(error.value)
