"""The boundary holds against answers that try to reach what is outside, and tells each by its name."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.evaluating.running_code import boundary
from tests.evaluating.running_code.hostile import ATTEMPTS, Attempt


@pytest.fixture(autouse=True)
def here() -> None:
    if lacking := boundary.lacking():
        pytest.skip(lacking)


@pytest.fixture(scope="module")
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=list(ATTEMPTS))
def test_nothing_is_reached_and_what_was_tried_is_told(
    attempt: Attempt, tmp_path: Path, listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("7")
    monkeypatch.setenv("SECRET", "7")
    code = attempt.code
    if "{" in code:
        port = listening.getsockname()[1]
        code = code.format(port=port, pid=os.getpid(), secret=tmp_path / "secret", folder=tmp_path)

    verdict = boundary.judge(code, attempt.tests, timeout_s=attempt.seconds)

    assert (verdict.outcome, attempt.detail in verdict.detail) == (attempt.outcome, True), verdict
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret"]
    assert not Path("/written").exists()
    with pytest.raises(BlockingIOError):  # nobody knocked
        listening.accept()


def test_every_outcome_that_an_answer_can_cause_is_among_the_attempts() -> None:
    assert {attempt.outcome for attempt in ATTEMPTS.values()} == boundary.OUTCOMES.keys() - {"nothing_tested"}
    assert len(ATTEMPTS) >= 25


def test_a_box_sees_no_process_but_its_own_and_no_folder_but_libraries_and_its_own() -> None:
    code = "import os\n\n\ndef found():\n    return sorted(os.listdir('/')), os.getpid(), os.getuid(), dict(os.environ)"
    tests = (
        "folders, pid, uid, environment = found()\n"
        f"assert set(folders) <= {{'usr', 'lib', 'lib64', 'inside', 'tmp', {Path(sys.base_prefix).parts[1]!r}}}\n"
        "assert pid == 2 and uid == 65534\n"
        "assert set(environment) <= {'PYTHONHASHSEED', 'PWD', 'LC_CTYPE'}, environment"
    )

    assert boundary.judge(code, tests) == ("passed", "")


def test_a_box_has_its_channel_open_and_nothing_else() -> None:
    code = (
        "import os\n\n\ndef opened():\n    found = []\n    for number in range(64):\n        try:\n"
        "            os.fstat(number)\n            found.append(number)\n        except OSError:\n            pass\n"
        "    return len(found)"
    )

    assert boundary.judge(code, "assert opened() == 6, opened()") == ("passed", "")  # 0, 1, 2, the end of 0, two ways
