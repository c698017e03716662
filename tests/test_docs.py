"""Every command in docs/ is run, in order, and says what the page says; numbers and hashes may differ."""

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
VARIES = re.compile(r"[0-9a-f]{7,40}|\d+([.,:]\d+)*( [AP]M)?")
DRAWN = re.compile(r"[─│├└┌┐┘┤┬┴┼|+=\-]+")


def blocks(page: Path) -> list[tuple[str, str]]:
    """(kind, text) of every fenced block."""
    return FENCE.findall(page.read_text("utf-8"))


RUN = [p for p in PAGES if p.stem != "first-hour" and any(kind == "console" for kind, _ in blocks(p))]


def commands(text: str) -> list[tuple[str, list[str]]]:
    """(command, lines it prints) of a console block; `> ` goes on with the command above."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif (line == ">" or line.startswith("> ")) and found and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
        else:
            found[-1][1].append(line)
    return found


def masked(line: str) -> str:
    """A line without what may differ: numbers, hashes, the width of tables."""
    return " ".join(DRAWN.sub(" ", VARIES.sub("N", line.partition(" #")[0])).split())


def agrees(wanted: list[str], got: list[str]) -> bool:
    """Whether a command printed what a page shows; `...` stands for any lines."""
    lines = ["..." if w.strip() == "..." else re.escape(masked(w)) for w in wanted if w.strip() == "..." or masked(w)]
    pattern = "".join(r"(?:.*\n)*" if line == "..." else line + r"\n" for line in lines)
    return re.fullmatch(pattern, "".join(f"{masked(g)}\n" for g in got if masked(g))) is not None


def environment() -> dict[str, str]:
    """What a reader's shell has once the environment is active; `uv run` takes the one that is here."""
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
    """Runs a page's console blocks from its top; `cd` holds for the commands after it."""
    env = {**environment(), **variables}
    where = folder.with_name(f"{folder.name}.where")
    where.write_text(str(folder))
    for text in [text for kind, text in blocks(page) if kind == "console"]:
        for command, wanted in commands(text):
            script = f"{command}\nstatus=$?; pwd > '{where}'; exit $status"
            with tempfile.TemporaryFile("w+") as printed:  # no pipe: workers that a command leaves behind would hold it
                done = subprocess.run(
                    ["bash", "-c", script], cwd=where.read_text().strip(), env=env, timeout=900,
                    stdin=subprocess.DEVNULL, stdout=printed, stderr=subprocess.STDOUT,
                )  # fmt: skip
                printed.seek(0)
                got = printed.read().splitlines()
            assert (done.returncode != 0) == command.endswith("# fails"), f"{page.name}: $ {command}\n" + "\n".join(got)
            shown = "\n".join(difflib.unified_diff(wanted, got, page.name, "printed", lineterm=""))
            assert agrees(wanted, got), f"{page.name}: $ {command}\n{shown}"


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(p, id=p.stem, marks=[pytest.mark.slow] if p.stem in SLOW else [])
        for p in RUN
        if p.stem not in OF_THE_DEFAULT
    ],
)
def test_a_page_says_what_its_commands_do(page: Path, project: Project, upstream: Path) -> None:
    """In a tiny build that is committed."""
    subprocess.run(["git", "add", "-A"], cwd=project.path, check=True)
    subprocess.run(["git", "commit", "-qm", "Built"], cwd=project.path, env=environment(), check=True)
    follow(page, project.path, UPSTREAM=str(upstream))


@pytest.fixture
def upstream(tmp_path: Path, project: Project) -> Path:
    """Where the project was cloned from, one commit later."""
    folder = tmp_path / "upstream"
    subprocess.run(["git", "clone", "-q", project.path, folder], check=True)
    card = folder / "stages/reporting/templates/card.md"
    card.write_text(card.read_text("utf-8") + "\nLanguages: {{ card.language | join(', ') }}.\n", "utf-8")
    message = ["commit", "-qam", "Card says which language"]
    subprocess.run(["git", *message], cwd=folder, env=environment(), check=True)
    return folder


@pytest.mark.slow
def test_the_first_hour_goes_as_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "reader").mkdir()
    follow(ROOT / "docs/first-hour.md", tmp_path / "reader", MODELMAKE=str(clone(tmp_path / "origin").path))


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in RUN if p.stem in OF_THE_DEFAULT], ids=lambda page: page.stem)
def test_a_page_about_the_default_says_what_its_commands_do(page: Path, default: Project, tmp_path: Path) -> None:
    shutil.copytree(default.path, tmp_path / "reader", symlinks=True)
    follow(page, tmp_path / "reader")


def test_every_command_of_a_page_is_in_a_block_that_is_run() -> None:
    kinds = {(page.name, kind) for page in PAGES for kind, _ in blocks(page)}
    assert {kind for _, kind in kinds} <= {"console", "yaml", "python", "json", "text", "jinja"}, kinds


def test_what_a_page_shows_is_held_against_what_was_printed() -> None:
    shown = ["stage: 12 rows, loss 0.123 -> 0.1", "...", "Ran experiment(s): r8"]
    assert agrees(shown, ["stage: 3 rows, loss 1.5 -> 0.2", "anything", "at all", "Ran experiment(s): r1"])
    assert not agrees(shown, ["stage: 3 lines, loss 1.5 -> 0.2", "Ran experiment(s): r1"])
    assert not agrees(["a"], ["a", "b"])
