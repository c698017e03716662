"""The run log is in the state folder of the machine, which no key and no artifact sees."""

from pathlib import Path

from modelmake.running import run_log, state_dir


def test_runs_are_logged_in_the_state_folder_oldest_first(tmp_path: Path) -> None:
    assert run_log.read(tmp_path) == []
    run_log.append(tmp_path, {"stage": "clean", "outcome": "failed"})
    run_log.append(tmp_path, {"stage": "clean", "outcome": "done"})

    assert [run["outcome"] for run in run_log.read(tmp_path)] == ["failed", "done"]
    assert [file.name for file in state_dir.folder(tmp_path).iterdir()] == [run_log.path(tmp_path).name]


def test_runs_are_told_by_their_inputs_and_by_their_outputs() -> None:
    first, second, third = (
        {"identity": identity, "outs": {"a": md5}} for identity, md5 in (("1", "x"), ("2", "x"), ("1", "y"))
    )

    assert run_log.alike([first, second, third], "1", {"a": "x"}) == ([first, third], [first, second], first)
    assert run_log.alike([second, third], "1", {"a": "x"}) == ([third], [second], None)
