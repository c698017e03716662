"""Every command in docs/ is run, in order, and prints what the page shows."""

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project, clone

SLOW = ("remotes", "verify")  # pages of many commands
OF_THE_DEFAULT = ("experiments",)  # pages about a build that takes minutes
PAGES = sorted((ROOT / "docs").glob("*.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What differs between machines or runs. Everything else must be as the page shows it, counts of rows, stages, keys,
# files and commits among it.
VARIES = {
    "date": r"\b\d{4}-\d\d-\d\d\b",  # of a commit
    "time": r"\b\d\d?:\d\d [AP]M\b",  # of an experiment
    "duration": r"\b\d+:\d\d\b|(?<='seconds': )[\d.]+",  # stages take longer on a busy machine
    "size": r"\b[\d.,]+ [kM]B\b",  # reports hold scores, with more or fewer digits
    "hash": r"\b[0-9a-f]{7,40}\b",  # of commits, and of what training wrote; also MD5 and row ids
    "loss": r"(?<=\bloss )\S+ -> [\d.e-]+",  # another processor rounds otherwise
    "score": r"-?\b\d\.(?:\d{4,}(?:e-\d+)?|0)(?![\w.])",  # as above; as DVC prints it: all digits, or 0.0 and 1.0
    "source files": r"(?<=^inputs: )\d+ files",  # preflight reads modelmake/ and stages/: a new module is one more
    "workers": r"(?<=^Worker status: )\d+ active, \d+ idle",  # DVC's workers end by themselves after a moment
}
VARIANT = re.compile("|".join(f"(?P<{name.replace(' ', '_')}>{pattern})" for name, pattern in VARIES.items()))
DRAWN = re.compile(r"[─│├└┌┐┘┤┬┴┼|+=\-]+")  # lines of tables, which are as wide as their values


def blocks(page: Path) -> list[tuple[str, str]]:
    """(kind, text) of every fenced block."""
    return FENCE.findall(page.read_text("utf-8"))


RUN = [p for p in PAGES if p.stem != "first-hour" and any(kind == "console" for kind, _ in blocks(p))]


def commands(text: str) -> list[tuple[str, list[str]]]:
    """(command, lines it prints) of a console block; a line that starts with `> ` continues the command above."""
    parsed: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            parsed.append((line[2:], []))
        elif (line == ">" or line.startswith("> ")) and parsed and not parsed[-1][1]:
            parsed[-1] = (f"{parsed[-1][0]}\n{line[2:]}", [])
        else:
            parsed[-1][1].append(line)
    return parsed


def masked(line: str) -> str:
    """The line with its variants as `<name>`, without comment, table lines and repeated spaces."""
    line = VARIANT.sub(lambda match: f"<{match.lastgroup}>", line.partition(" #")[0])
    return " ".join(DRAWN.sub(" ", line).split())


def agrees(shown: list[str], printed: list[str]) -> bool:
    """True if a command printed what a page shows; a line `...` on the page matches any lines."""
    lines = ["..." if s.strip() == "..." else re.escape(masked(s)) for s in shown if s.strip() == "..." or masked(s)]
    pattern = "".join(r"(?:.*\n)*" if line == "..." else line + r"\n" for line in lines)
    return re.fullmatch(pattern, "".join(f"{masked(p)}\n" for p in printed if masked(p))) is not None


def environment() -> dict[str, str]:
    """Variables of a reader's shell with the environment active; `uv run` takes the installed environment."""
    uv = os.environ.get("UV", "uv")
    path = os.pathsep.join([str(Path(sys.executable).parent), str(Path(uv).parent), os.environ["PATH"]])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DVC_", "GIT_"))}
    who = "reader@example.org"
    identity = {f"GIT_{role}_{name}": who for role in ("AUTHOR", "COMMITTER") for name in ("NAME", "EMAIL")}
    return {
        **kept, **identity, "PATH": path, "COLUMNS": "170", "SHELL": "/bin/sh", "UV_PROJECT_ENVIRONMENT": sys.prefix,
        "UV_NO_SYNC": "1",
    }  # fmt: skip


def follow(page: Path, folder: Path, **variables: str) -> None:
    """Runs a page's console blocks in order, from `folder`; `cd` holds for the commands after it."""
    env = {**environment(), **variables}
    where = folder.with_name(f"{folder.name}.where")
    where.write_text(str(folder))
    for text in [text for kind, text in blocks(page) if kind == "console"]:
        for command, shown in commands(text):
            script = f"{command}\nstatus=$?; pwd > '{where}'; exit $status"
            with tempfile.TemporaryFile("w+") as file:  # no pipe: workers that a command leaves behind would hold it
                done = subprocess.run(
                    ["bash", "-c", script], cwd=where.read_text().strip(), env=env, timeout=900,
                    stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                )  # fmt: skip
                file.seek(0)
                printed = file.read().splitlines()
            output = "\n".join(printed)
            assert (done.returncode != 0) == command.endswith("# fails"), f"{page.name}: $ {command}\n{output}"
            diff = "\n".join(difflib.unified_diff(shown, printed, page.name, "printed", lineterm=""))
            assert agrees(shown, printed), f"{page.name}: $ {command}\n{diff}"


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(p, id=p.stem, marks=[pytest.mark.slow] if p.stem in SLOW else [])
        for p in RUN
        if p.stem not in OF_THE_DEFAULT
    ],
)
def test_commands_print_what_their_page_shows(page: Path, project: Project, upstream: Path) -> None:
    """In a tiny build that is committed."""
    subprocess.run(["git", "add", "-A"], cwd=project.path, check=True)
    subprocess.run(["git", "commit", "-qm", "Built"], cwd=project.path, env=environment(), check=True)
    follow(page, project.path, UPSTREAM=str(upstream))


@pytest.fixture
def upstream(tmp_path: Path, project: Project) -> Path:
    """The repository that the project was cloned from, one commit later."""
    folder = tmp_path / "upstream"
    subprocess.run(["git", "clone", "-q", project.path, folder], check=True)
    card = folder / "stages/reporting/templates/card.md"
    card.write_text(card.read_text("utf-8") + "\nLanguages: {{ card.language | join(', ') }}.\n", "utf-8")
    message = ["commit", "-qam", "Card says which language"]
    subprocess.run(["git", *message], cwd=folder, env=environment(), check=True)
    return folder


@pytest.mark.slow
def test_commands_of_the_first_hour_print_what_it_shows(tmp_path: Path) -> None:
    (tmp_path / "reader").mkdir()
    follow(ROOT / "docs/first-hour.md", tmp_path / "reader", MODELMAKE=str(clone(tmp_path / "origin").path))


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in RUN if p.stem in OF_THE_DEFAULT], ids=lambda page: page.stem)
def test_commands_about_the_default_print_what_their_page_shows(page: Path, default: Project, tmp_path: Path) -> None:
    shutil.copytree(default.path, tmp_path / "reader", symlinks=True)
    follow(page, tmp_path / "reader")


def test_every_block_of_a_page_has_a_known_kind() -> None:
    """Blocks of kind `console` are run; one without a kind would be forgotten."""
    kinds = {(page.name, kind) for page in PAGES for kind, _ in blocks(page)}
    assert {kind for _, kind in kinds} <= {"console", "yaml", "python", "json", "text", "jinja"}, kinds


@pytest.mark.parametrize(
    ("name", "shown", "printed"),
    [
        ("date", "commit 2026-11-22 Built", "commit 2027-01-02 Built"),
        ("time", "main  12:58 PM  32", "main  1:05 AM  32"),
        ("duration", "2 will run (0:04 last time)", "2 will run (1:01 last time)"),
        ("duration", "{'stages': 1, 'seconds': 0.3}", "{'stages': 1, 'seconds': 12.25}"),
        ("size", "cache: 7 objects, 2.3 MB: as recorded", "cache: 7 objects, 17.1 MB: as recorded"),
        ("hash", "md5 5c6bc51fd17966c81f6b9a107930ba9f.dir", "md5 d41d8cd98f00b204e9800998ecf8427e.dir"),
        ("loss", "consumed in 3 steps; loss 1.865 -> 0.001", "consumed in 3 steps; loss 6.5 -> 9.97e-04"),
        ("score", "dpo.exact_match 0.99483 0.99225 -0.002584", "dpo.exact_match 1.0 0.98966 -0.01034"),
        ("source_files", "inputs: 119 files: as recorded", "inputs: 204 files: as recorded"),
        ("workers", "Worker status: 0 active, 2 idle", "Worker status: 1 active, 0 idle"),
    ],
)
def test_what_differs_between_machines_or_runs_is_masked(name: str, shown: str, printed: str) -> None:
    assert f"<{name}>" in masked(shown)
    assert agrees([shown], [printed])


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("preflight: params.yaml is valid; 22 keys", "preflight: params.yaml is valid; 18 keys"),
        ("ingest: 5300 rows in, 5208 out", "ingest: 5301 rows in, 5208 out"),
        ("4 will run (0:07 last time), 18 fresh", "4 will run (0:07 last time), 20 fresh"),
        ("7 files fetched and 6 files added", "7 files fetched and 7 files added"),
        ("workspace: 91 files, 19.7 MB: as recorded", "workspace: 92 files, 19.7 MB: as recorded"),
        ("3 of 3 gates ALLOW", "2 of 3 gates ALLOW"),
        ("data/raw/tickets.json:224", "data/raw/tickets.json:225"),
        ("gates.sft_answers.bound 0.8 -> 0.7", "gates.sft_answers.bound 0.8 -> 0.6"),
        ("params.yaml  train.dpo.weights.r  32  8  -24", "params.yaml  train.dpo.weights.r  32  16  -16"),
        ("50.00% of its records are unusable", "33.33% of its records are unusable"),
    ],
)
def test_counts_and_parameters_are_not_masked(shown: str, printed: str) -> None:
    assert agrees([shown], [shown])
    assert not agrees([shown], [printed])


def test_three_dots_match_any_lines_and_nothing_else_does() -> None:
    shown = ["stage: 12 rows", "...", "Ran experiment(s): r8"]
    assert agrees(shown, ["stage: 12 rows", "anything", "at all", "Ran experiment(s): r8"])
    assert agrees(shown, ["stage: 12 rows", "Ran experiment(s): r8"])
    assert not agrees(shown, ["stage: 12 lines", "Ran experiment(s): r8"])
    assert not agrees(["a"], ["a", "b"])
