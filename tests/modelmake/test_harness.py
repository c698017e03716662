"""A stage publishes all of its outputs when it ends, or nothing and one line that says why."""

import hashlib
import re
import signal

import pytest

from tests.modelmake.conftest import SHOUT, SHOUT_SLOWLY, StageProject, wait_until


def test_a_stage_publishes_its_output_and_prints_one_line_of_counts(project: StageProject) -> None:
    project.write_stage(SHOUT)

    assert project.run() == (0, "stages.shout: 1 row\n", "")
    assert project.published() == {"loud.txt": "ROWS!"}


def test_an_old_output_stays_until_the_new_one_is_complete(project: StageProject) -> None:
    project.write_stage(SHOUT_SLOWLY)
    (project.root / "made").mkdir()
    (project.root / "made/loud.txt").write_text("old")
    during = []

    code, _, _ = project.run(meanwhile=lambda: during.append(project.published()))

    assert code == 0
    assert during[0]["loud.txt"] == "old"
    assert project.published() == {"loud.txt": "ROWS!"}


def test_a_published_folder_replaces_the_old_one(project: StageProject) -> None:
    project.write_stage("loud.mkdir()\n(loud / 'new').write_text('1')\nreturn ''")
    (project.root / "made/loud.txt").mkdir(parents=True)
    (project.root / "made/loud.txt/old").touch()

    project.run()

    assert [p.name for p in (project.root / "made/loud.txt").iterdir()] == ["new"]


def test_partial_outputs_of_a_killed_run_are_replaced(project: StageProject) -> None:
    project.write_stage("loud.mkdir()\nreturn ''")
    (project.root / "made/.loud.txt.partial").mkdir(parents=True)
    (project.root / "made/.loud.txt.partial/half").touch()

    project.run()

    assert list((project.root / "made/loud.txt").iterdir()) == []


@pytest.mark.parametrize("body", ["loud.write_text('half')\nraise ValueError('a bug')", "return 'wrote nothing'"])
def test_a_stage_with_a_bug_publishes_nothing_and_shows_its_traceback(project: StageProject, body: str) -> None:
    project.write_stage(body)

    code, out, err = project.run()

    assert (code, out, project.published()) == (1, "", {})
    assert err.startswith("Traceback")
    assert project.log()[0]["outcome"] == "failed"


def test_a_user_error_is_printed_without_a_traceback(project: StageProject) -> None:
    project.write_stage("loud.write_text('half')\nraise UserError('source.txt: found 3: want 4; add one')")

    assert project.run() == (1, "", "source.txt: found 3: want 4; add one\n")
    assert project.published() == {}


@pytest.mark.parametrize(
    "error",
    [
        "OSError(28, 'No space left on device', 'made/x')",
        "OSError('1000000 requested and 131072 written')",  # numpy's tofile, through which gguf writes
        "RuntimeError('Error while serializing: I/O error: No space left on device (os error 28)')",  # safetensors
    ],
)
def test_a_full_disk_is_one_line_whichever_library_raises_the_error(project: StageProject, error: str) -> None:
    project.write_stage(f"loud.write_text('half')\nraise {error}")

    code, _, err = project.run()

    assert re.sub("disk of .*: found [1-9][0-9]*", "disk of X: found N", err) == (
        "stages.shout: no space left on the disk of X: found N MiB free; nothing published; "
        "free some (`dvc gc -w` drops what no build uses) and `dvc repro` again\n"
    )
    assert (code, project.published()) == (1, {})


def test_an_interrupt_is_one_line_and_publishes_nothing(project: StageProject) -> None:
    project.write_stage(SHOUT_SLOWLY)
    process = project.start()
    wait_until((project.root / "waiting").exists)

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert err == "stages.shout: interrupted: nothing published; `dvc repro` runs it again\n"
    assert project.published() == {}
    assert project.log()[0]["outcome"] == "interrupted"


def test_a_missing_input_is_reported_before_anything_runs(project: StageProject) -> None:
    project.write_stage("raise AssertionError")
    (project.root / "source.txt").unlink()

    assert project.run() == (
        1,
        "",
        "stages.shout: source.txt: no such file or folder: want its input; make it, or `dvc pull` it\n",
    )


def test_wrong_params_are_reported_before_anything_runs(project: StageProject) -> None:
    project.write_stage("raise AssertionError")
    (project.root / "params.yaml").write_text("shout: {mrak: 1}\n")

    assert project.run() == (
        1,
        "",
        "params.yaml: shout.mrak: unknown key; did you mean mark?\nparams.yaml: shout.mark: missing; give it a value\n",
    )


def test_a_module_imported_by_a_computed_name_is_refused(project: StageProject) -> None:
    project.write_stage("import importlib\nimportlib.import_module(f'stages.{source.stem}')\nloud.touch()\nreturn ''")
    (project.root / "stages/source.py").touch()

    assert project.run() == (
        1,
        "",
        "stages.shout: ran stages.source, which its key does not cover: import it by an import statement, "
        "or name it in `modules()` of its params; nothing published\n",
    )
    assert project.published() == {}


def test_a_module_that_the_params_select_is_covered(project: StageProject) -> None:
    body = "import importlib\nimportlib.import_module(f'stages.{source.stem}')\nloud.touch()\nreturn ''"
    project.write_stage(body, methods="\n    def modules(self) -> list[str]:\n        return ['stages.source']\n")
    (project.root / "stages/source.py").touch()

    assert project.run()[0] == 0


def test_a_data_file_that_the_code_names_is_in_the_sandbox_and_in_the_key(project: StageProject) -> None:
    project.write_stage("loud.write_text(Path('stages/words.txt').read_text())\nreturn ''")
    (project.root / "stages/words.txt").write_text("hey")
    project.write_key()

    assert project.run("shout")[0] == 0
    (project.root / "stages/words.txt").write_text("ho")
    assert project.run("shout")[2] == (
        "shout: code, packages or parameters changed since preflight (file stages/words.txt): nothing published; "
        "run `dvc repro` again\n"
    )


def test_under_dvc_a_stage_runs_if_its_key_is_the_one_that_preflight_wrote(project: StageProject) -> None:
    project.write_stage(SHOUT)
    project.write_key()

    assert project.run(dvc_stage="dvc.yaml:shout") == (0, "shout: 1 row\n", "")


def test_under_dvc_code_edited_since_preflight_is_refused_by_name(project: StageProject) -> None:
    project.write_stage(SHOUT)
    project.write_key()
    project.write_stage(SHOUT.replace("1 row", "2 rows"))

    assert project.run(dvc_stage="shout") == (
        1,
        "",
        "shout: code, packages or parameters changed since preflight (stages.shout.main): "
        "nothing published; run `dvc repro` again\n",
    )
    assert project.published() == {}


def test_under_dvc_a_stage_without_a_key_is_refused(project: StageProject) -> None:
    project.write_stage(SHOUT)

    code, _, err = project.run(dvc_stage="shout")

    assert code == 1
    assert err.startswith("shout: code, packages or parameters changed since preflight (modelmake.artifacts.Artifact, ")
    assert project.published() == {}


def test_an_item_of_a_stage_has_its_own_key_file(project: StageProject) -> None:
    project.write_stage(SHOUT)
    project.write_key()
    (project.root / "keys/shout.json").rename(project.root / "keys/shout.sft.json")

    assert project.run(dvc_stage="dvc.yaml:shout@sft")[0] == 0
    assert project.run(dvc_stage="dvc.yaml:shout@dpo")[0] == 1


def test_every_run_adds_one_line_to_the_run_log(project: StageProject) -> None:
    project.write_stage(SHOUT)
    project.run()
    project.run()

    first, second = project.log()

    assert list(first) == [
        "stage", "outcome", "identity", "outs", "started", "seconds", "cpu_seconds", "harness_cpu_seconds", "peak_mib",
        "stack",
    ]  # fmt: skip
    assert (first["stage"], first["outcome"], first["identity"]) == ("stages.shout", "done", second["identity"])
    assert first["outs"] == {"made/loud.txt": hashlib.md5(b"ROWS!").hexdigest()}
    assert len(first["identity"]) == 16
    assert 0 < first["harness_cpu_seconds"] <= first["cpu_seconds"] < 30
    assert 5 < first["peak_mib"] < 200


def test_peak_memory_in_the_log_excludes_the_process_that_started_the_stage(project: StageProject) -> None:
    project.write_stage(SHOUT)
    held = bytearray(400 << 20)
    held[::4096] = bytes(len(range(0, len(held), 4096)))
    project.run()

    assert project.log()[0]["peak_mib"] < 200
