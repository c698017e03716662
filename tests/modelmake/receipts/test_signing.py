"""A signature covers every byte of a folder, whoever made it; keys are files in PEM."""

import shutil
import subprocess
from pathlib import Path

import pytest

from modelmake.errors import UserError
from modelmake.receipts import signing
from tests.modelmake.receipts import made_up_release
from tests.tool_python import python_of


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    private, public = made_up_release.keys(tmp_path, "release")
    (tmp_path / "text").write_text("secret")

    with pytest.raises(UserError, match=r"gone: No such file or directory: want a private key in PEM"):
        signing.key(tmp_path / "gone", signing.PRIVATE)
    with pytest.raises(UserError, match=r"text: begins with 'secret': want a public key in PEM"):
        signing.key(tmp_path / "text", signing.PUBLIC)
    with pytest.raises(UserError, match=r"release.pem: begins with '-----BEGIN PRIVATE KEY-----': want a public key"):
        signing.key(private, signing.PUBLIC)
    assert signing.key(public, signing.PUBLIC) == public


def test_a_link_is_not_signed(folder: Path, tmp_path: Path) -> None:
    private, _ = made_up_release.keys(tmp_path, "release")
    (folder / "other.gguf").symlink_to(folder / "model.gguf")

    with pytest.raises(UserError, match=r"other.gguf: a link, or no file: want the bytes themselves"):
        signing.sign(folder, private)


def test_a_key_of_another_kind_is_told_as_model_signing_says(
    folder: Path, tmp_path: Path, signing_environment: None
) -> None:
    (tmp_path / "bad.pem").write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")

    with pytest.raises(UserError, match=r"desk: model-signing: \w+: .*; docs/receipts.md says how to make one"):
        signing.sign(folder, tmp_path / "bad.pem")
    assert not (folder / signing.SIGNATURE).exists()


def test_what_the_command_of_model_signing_leaves_out_is_told(
    folder: Path, tmp_path: Path, signing_environment: None
) -> None:
    """By itself it does not see `.git*`. What was signed here holds for it, and what it signed is checked here."""
    private, public = made_up_release.keys(tmp_path, "release")
    (folder / ".gitattributes").write_text("*.gguf filter=lfs\n")
    signature = folder / signing.SIGNATURE

    def model_signing(action: str, *options: object) -> subprocess.CompletedProcess[str]:
        python, named = python_of("signing"), ("--signature", signature)
        words = [python, "-m", "model_signing", action, "key", folder, *named, *options]
        return subprocess.run([str(word) for word in words], capture_output=True, text=True)

    assert model_signing("sign", "--private_key", private).returncode == 0
    assert signing.check([folder], public) == {folder: [".gitattributes: not in the signature"]}

    signature.unlink()
    assert signing.sign(folder, private) == 5
    assert signing.check([folder], public) == {folder: []}
    verified = model_signing("verify", "--public_key", public, "--no-ignore-git-paths")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_folder_may_have_another_name_and_place(folder: Path, tmp_path: Path, signing_environment: None) -> None:
    private, public = made_up_release.keys(tmp_path, "release")
    signing.sign(folder, private)
    moved = Path(shutil.copytree(folder, tmp_path / "downloads/v2"))

    assert signing.check([moved], public) == {moved: []}
