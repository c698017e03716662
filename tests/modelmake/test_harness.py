"""A stage publishes all of its outputs at its end, or nothing and a line that says why."""

import hashlib
import re
import signal

import pytest

from tests.modelmake.conftest import Project, wait_until

GOOD = "loud.write_text(source.read_text().upper() + params.mark)\nreturn '1 row'"
SLOW = "loud.write_text(source.read_text().upper() + params.mark)\nwait_for('go')\nreturn '1 row'"
CHANGED = (
    "shout: {} changed while it ran: nothing published; run `dvc repro` again, or put back what it was: its work is "
    "kept and then taken at once"
)


def by_hand(line: str) -> str:
    """The same line of a stage run by hand, which goes by its module's name."""
    return line.replace("shout:", "stages.shout:", 1) + "\n"


def test_a_stage_publishes_its_output_and_says_one_line_of_counts(project: Project) -> None:
    project.write_stage(GOOD)

    assert project.run() == (0, "stages.shout: 1 row\n", "")
    assert project.published() == {"loud.txt": "ROWS!"}


def test_an_old_output_stands_until_the_new_one_is_whole(project: Project) -> None:
    project.write_stage(SLOW)
    (project.root / "made").mkdir()
    (project.root / "made/loud.txt").write_text("old")
    seen = []

    code, _, _ = project.run(meanwhile=lambda: seen.append(project.published()))

    assert code == 0
    assert seen[0]["loud.txt"] == "old"
    assert project.published() == {"loud.txt": "ROWS!"}


def test_a_folder_is_published_whole_and_keeps_nothing_of_the_old_one(project: Project) -> None:
    project.write_stage("loud.mkdir()\n(loud / 'new').write_text('1')\nreturn ''")
    (project.root / "made/loud.txt").mkdir(parents=True)
    (project.root / "made/loud.txt/old").touch()

    project.run()

    assert [p.name for p in (project.root / "made/loud.txt").iterdir()] == ["new"]


def test_what_an_earlier_kill_left_is_not_taken_over(project: Project) -> None:
    project.write_stage("loud.mkdir()\nreturn ''")
    (project.root / "made/.loud.txt.partial").mkdir(parents=True)
    (project.root / "made/.loud.txt.partial/half").touch()

    project.run()

    assert list((project.root / "made/loud.txt").iterdir()) == []


@pytest.mark.parametrize("body", ["loud.write_text('half')\nraise ValueError('a bug')", "return 'wrote nothing'"])
def test_a_stage_with_a_bug_publishes_nothing_and_shows_its_traceback(project: Project, body: str) -> None:
    project.write_stage(body)

    code, out, err = project.run()

    assert (code, out, project.published()) == (1, "", {})
    assert err.startswith("Traceback")
    assert project.log()[0]["outcome"] == "failed"


def test_a_user_error_is_its_line_alone(project: Project) -> None:
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
def test_a_full_disk_is_told_in_one_line_whichever_library_finds_it(project: Project, error: str) -> None:
    project.write_stage(f"loud.write_text('half')\nraise {error}")

    code, _, err = project.run()

    assert re.sub("disk of .*: found [1-9][0-9]*", "disk of X: found N", err) == (
        "stages.shout: no space left on the disk of X: found N MiB free; nothing published; "
        "free some (`dvc gc -w` drops what no build uses) and `dvc repro` again\n"
    )
    assert (code, project.published()) == (1, {})


def test_an_interrupt_says_so_and_publishes_nothing(project: Project) -> None:
    project.write_stage(SLOW)
    process = project.start()
    wait_until((project.root / "waiting").exists)

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert err == "stages.shout: interrupted: nothing published; `dvc repro` runs it again\n"
    assert project.published() == {}
    assert project.log()[0]["outcome"] == "interrupted"


def test_a_missing_input_is_told_before_anything_runs(project: Project) -> None:
    project.write_stage("raise AssertionError")
    (project.root / "source.txt").unlink()

    assert project.run() == (
        1,
        "",
        "stages.shout: source.txt: no such file or folder: want its input; make it, or `dvc pull` it\n",
    )


def test_wrong_params_are_told_before_anything_runs(project: Project) -> None:
    project.write_stage("raise AssertionError")
    (project.root / "params.yaml").write_text("shout: {mrak: 1}\n")

    assert project.run() == (
        1,
        "",
        "params.yaml: shout.mrak: unknown key; did you mean mark?\nparams.yaml: shout.mark: missing; give it a value\n",
    )


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("source.txt", "other rows", "source.txt"),
        ("params.yaml", "shout: {mark: '!!'}\n", "params.yaml: shout"),
        ("source.txt", None, "source.txt"),
    ],
)
def test_an_input_or_parameter_that_changes_meanwhile_is_refused_and_put_back_takes_the_work_at_once(
    project: Project, file: str, text: str | None, named: str
) -> None:
    project.write_stage(SLOW)
    edited = project.root / file
    before = edited.read_text()

    found = project.run(meanwhile=lambda: edited.write_text(text) if text else edited.unlink())

    assert found == (1, "", by_hand(CHANGED.format(named)))
    assert project.published() == {}
    (project.root / "go").unlink()  # who ran now would wait for ever
    edited.write_text(before)
    assert project.run() == (0, "stages.shout: 1 row\n", "")
    assert project.published() == {"loud.txt": "ROWS!"}
    assert [line["outcome"] for line in project.log()] == ["kept", "taken"]


def test_an_edit_that_is_taken_back_before_the_end_changes_nothing_of_what_a_stage_reads(project: Project) -> None:
    project.write_stage("wait_for('go')\nloud.write_text(source.read_text())\nreturn ''")

    def edit() -> None:
        (project.root / "source.txt").write_text("other")
        (project.root / "source.txt").write_text("rows")

    assert project.run(meanwhile=edit)[0] == 0
    assert project.published() == {"loud.txt": "rows"}


def test_a_large_input_that_is_written_to_in_place_is_refused_and_nothing_is_kept(project: Project) -> None:
    source = project.root / "source.txt"
    source.write_bytes(b"x" * ((64 << 20) + 1))  # linked, not copied
    project.write_stage(SLOW)

    def append() -> None:
        with source.open("a") as file:
            file.write("!")

    assert project.run(meanwhile=append) == (
        1,
        "",
        "stages.shout: an input was written to while it ran: want them still; nothing published; "
        "run `dvc repro` again\n",
    )
    assert not list((project.root / ".dvc/cache/modelmake").glob("finished/*/*"))


@pytest.mark.parametrize(
    "reading",
    ["Path('other.txt')", "Path('params.yaml')"],
)
def test_a_stage_finds_no_file_that_it_does_not_declare(project: Project, reading: str) -> None:
    project.write_stage(f"loud.write_text({reading}.read_text())\nreturn ''")
    (project.root / "other.txt").write_text("x")

    code, _, err = project.run()

    assert code == 1
    assert "No such file or directory" in err
    assert project.published() == {}


def test_compiled_code_beside_a_module_is_code(project: Project) -> None:
    project.write_stage(
        "[compiled] = Path(__file__).parent.rglob('*.nbi')\nloud.write_bytes(compiled.read_bytes())\nreturn ''"
    )
    (project.root / "stages/__pycache__").mkdir(exist_ok=True)
    (project.root / "stages/__pycache__/shout.kernel.nbi").touch()

    assert project.run() == (0, "stages.shout: \n", "")


def test_a_file_that_is_read_by_its_absolute_path_is_refused_by_name(project: Project) -> None:
    project.write_stage("(Path(__file__).parents[1] / 'other.txt').read_text()\nloud.touch()\nreturn ''")
    (project.root / "other.txt").write_text("x")

    assert project.run() == (
        1,
        "",
        "stages.shout: read other.txt, which is neither an input nor in its key: declare it in dvc.yaml, "
        "or name it in the code as a path from the project's root; nothing published\n",
    )


def test_a_data_file_that_the_code_names_is_read_and_in_the_key(project: Project) -> None:
    project.write_stage("loud.write_text(Path('stages/words.txt').read_text())\nreturn ''")
    (project.root / "stages/words.txt").write_text("hey")
    project.write_key()

    assert project.run("shout")[0] == 0
    (project.root / "stages/words.txt").write_text("ho")
    assert project.run("shout")[2] == (
        "shout: code, packages or parameters changed since preflight (file stages/words.txt): nothing published; "
        "run `dvc repro` again\n"
    )


def test_work_that_was_kept_and_has_rotted_is_done_again(project: Project) -> None:
    project.write_stage(GOOD)
    project.run()
    [kept] = (project.root / ".dvc/cache/modelmake/finished").glob("*/*/0")
    kept.write_text("ROTS!")

    assert project.run()[0] == 0

    assert project.published() == {"loud.txt": "ROWS!"}
    assert [line["outcome"] for line in project.log()] == ["done", "done"]


def test_work_that_dvc_lock_records_is_kept_no_longer(project: Project) -> None:
    project.write_stage(GOOD)
    project.run()
    (project.root / "dvc.lock").write_text(f"md5: {hashlib.md5(b'ROWS!').hexdigest()}")

    assert project.run()[0] == 0

    assert [line["outcome"] for line in project.log()] == ["done", "done"]


def test_a_second_run_of_a_stage_in_a_clone_is_told_who_runs_it(project: Project) -> None:
    project.write_stage(SLOW)
    found = []

    code, _, _ = project.run(meanwhile=lambda: found.append(project.run()))

    assert (code, found[0][0]) == (0, 1)
    assert re.fullmatch(r"stages.shout: process \d+ runs it in this clone: wait for it, or end it\n", found[0][2])


def test_a_file_that_joins_an_input_folder_meanwhile_is_refused(project: Project) -> None:
    project.write_stage("loud.write_text('x')\nwait_for('go')\nreturn ''")
    (project.root / "source.txt").unlink()
    (project.root / "source.txt/deep").mkdir(parents=True)

    found = project.run(meanwhile=(project.root / "source.txt/deep/new.jsonl").touch)

    assert found == (1, "", by_hand(CHANGED.format("source.txt")))


def test_another_section_and_comments_of_params_may_change_meanwhile(project: Project) -> None:
    project.write_stage(SLOW)
    text = "# edited\nother: {mark: 'x'}\nshout:\n  mark: '!' # loud\n"

    code, _, err = project.run(meanwhile=lambda: (project.root / "params.yaml").write_text(text))

    assert (code, err) == (0, "")


def test_code_that_changes_meanwhile_is_refused_and_put_back_takes_the_work_at_once(project: Project) -> None:
    project.write_stage(SLOW)

    code, _, err = project.run(meanwhile=lambda: project.write_stage(GOOD))

    assert (code, err) == (1, by_hand(CHANGED.format("stages.shout.main, stages.shout.wait_for")))
    assert project.published() == {}
    project.write_stage(SLOW)
    (project.root / "go").unlink()
    assert project.run() == (0, "stages.shout: 1 row\n", "")


def test_an_unreached_function_a_comment_and_a_renamed_local_may_change_meanwhile(project: Project) -> None:
    project.write_stage("text = source.read_text()\nloud.write_text(text)\nwait_for('go')\nreturn ''")

    def edit() -> None:
        file = project.root / "stages/shout.py"
        file.write_text(
            file.read_text().replace("text =", "words =").replace("(text)", "(words)") + "def idle(): ...\n"
        )

    assert project.run(meanwhile=edit)[0] == 0


def test_a_module_imported_by_a_name_that_no_key_covers_is_refused(project: Project) -> None:
    project.write_stage("import importlib\nimportlib.import_module(f'stages.{source.stem}')\nloud.touch()\nreturn ''")
    (project.root / "stages/source.py").touch()

    assert project.run() == (
        1,
        "",
        "stages.shout: ran stages.source, which its key does not cover: import it plainly, "
        "or name it in `modules()` of its params; nothing published\n",
    )
    assert project.published() == {}


def test_a_module_that_the_params_name_is_covered(project: Project) -> None:
    body = "import importlib\nimportlib.import_module(f'stages.{source.stem}')\nloud.touch()\nreturn ''"
    project.write_stage(body, methods="\n    def modules(self) -> list[str]:\n        return ['stages.source']\n")
    (project.root / "stages/source.py").touch()

    assert project.run()[0] == 0


def test_under_dvc_the_key_that_preflight_wrote_lets_a_stage_run(project: Project) -> None:
    project.write_stage(GOOD)
    project.write_key()

    assert project.run(dvc_stage="dvc.yaml:shout") == (0, "shout: 1 row\n", "")


def test_under_dvc_code_other_than_preflight_saw_is_refused_by_name(project: Project) -> None:
    project.write_stage(GOOD)
    project.write_key()
    project.write_stage(GOOD.replace("1 row", "2 rows"))

    assert project.run(dvc_stage="shout") == (
        1,
        "",
        "shout: code, packages or parameters changed since preflight (stages.shout.main): "
        "nothing published; run `dvc repro` again\n",
    )
    assert project.published() == {}


def test_under_dvc_a_stage_without_a_key_is_refused(project: Project) -> None:
    project.write_stage(GOOD)

    code, _, err = project.run(dvc_stage="shout")

    assert code == 1
    assert err.startswith("shout: code, packages or parameters changed since preflight (modelmake.artifacts.Artifact, ")
    assert project.published() == {}


def test_an_item_of_a_stage_has_its_own_key_file(project: Project) -> None:
    project.write_stage(GOOD)
    project.write_key()
    (project.root / "keys/shout.json").rename(project.root / "keys/shout.sft.json")

    assert project.run(dvc_stage="dvc.yaml:shout@sft")[0] == 0
    assert project.run(dvc_stage="dvc.yaml:shout@dpo")[0] == 1


def test_every_run_leaves_one_line_in_the_log(project: Project) -> None:
    project.write_stage(GOOD)
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


def test_the_peak_in_the_log_is_of_the_stage_and_not_of_who_started_it(project: Project) -> None:
    project.write_stage(GOOD)
    held = bytearray(400 << 20)
    held[::4096] = bytes(len(range(0, len(held), 4096)))
    project.run()

    assert project.log()[0]["peak_mib"] < 200
