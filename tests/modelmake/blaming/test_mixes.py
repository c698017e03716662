"""Mixes of two builds of a made-up graph: planned, then built through the project's own cache."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelmake.blaming import inputs, mixes, revisions
from modelmake.blaming.inputs import Input
from modelmake.blaming.mixes import Mix, Mixer
from tests import made_up_graph as graph
from tests.made_up_graph import edit

pytestmark = pytest.mark.slow  # half a minute of DVC; what is put back is in test_put_back.py
PAGE = "page"


@pytest.fixture(scope="module")
def mixer(graph_original: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mixer]:
    """Of two builds, the newer with another row, another parameter and other code."""
    root = shutil.copytree(graph_original, tmp_path_factory.mktemp("mixed") / "graph", symlinks=True)
    for file, text in {"uv.lock": "", ".python-version": "3.11\n"}.items():
        (root / file).write_text(text)
    commit(root)
    edit(root, "raw/rows.txt", "3 b", "2 b")
    edit(root, "params.yaml", "flag: -n", "flag: -nr")
    edit(root, "code/clean.py", "drop", "drop anew")
    graph.repro(root)
    commit(root)
    graph.log(root, "train@up", seconds=3)
    graph.log(root, "page", seconds=2)
    old, new = revisions.read(root, "HEAD~1"), revisions.read(root, "HEAD")
    with contextlib.ExitStack() as cleanup:
        sides = [mixes.check_out(root, revision, PAGE, cleanup) for revision in (old, new)]
        yield mixes.mixer(root, new, PAGE, *sides, cleanup)


def commit(root: Path) -> None:
    for command in (["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "built"]):
        subprocess.run(["git", *command], cwd=root, check=True)


def planned(mix: Mix) -> list[str]:
    return [step.stage for step in mix.steps if step.stage != "preflight"]


def test_builds_that_are_in_the_cache_run_nothing_and_mixes_what_their_input_leads_to(mixer: Mixer) -> None:
    found = inputs.changed(mixer.old, mixer.new, ("clean",))
    mixed = {mix.change.name: mix for mix in mixer.mixes(found)}

    assert planned(mixer.as_it_is(mixer.old)) == planned(mixer.as_it_is(mixer.new)) == []
    assert {name: planned(mix) for name, mix in mixed.items()} == {
        "raw/rows.txt": ["clean", "split", "train@up", "train@down", "gather", "page"],
        "train.up": ["train@up", "gather", "page"],
        "code": ["clean", "split", "train@up", "train@down", "gather", "page"],
    }
    assert [step.seconds for step in mixed["train.up"].steps[-3:]] == [3, None, 2]
    assert {mix.problem for mix in mixed.values()} == {""}
    assert len([*mixer.root.parent.glob("graph-rebuild-*")]) == 3, "one of each build, and one of all mixes"


def test_a_mix_has_the_one_input_of_the_older_build_and_the_rest_of_the_newer(mixer: Mixer) -> None:
    found = {change.name: change for change in inputs.changed(mixer.old, mixer.new, ("clean",))}
    mix = mixer.mix(found["train.up"])
    with (mixer.root.parent / "log").open("w") as log:
        assert mixer.build(mix, log)

    # the first three rows that are no noise, by `sort -r` and, put back, by `sort -n`
    assert (mix.path / "all.txt").read_text() == "5 a\n4 c\n2 b\n2 b\n4 c\n5 a\n"
    assert (mixer.root / "all.txt").read_text() == "5 a\n4 c\n2 b\n5 a\n4 c\n2 b\n", "the project is as it was"
    other = mixer.mix(found["code"])
    assert not (other.path / "models").exists(), "nothing is left of another"
    assert (other.path / "all.txt").read_text() == (mixer.root / "all.txt").read_text()
    assert (other.path / "params.yaml").read_text() == (mixer.new.path / "params.yaml").read_text()
    again = mixer.mix(found["train.up"])
    assert planned(again) == ["gather", "page"], "what was built once is in the cache, but for `cache: false`"


def test_a_part_of_a_file_is_put_back_by_its_content(mixer: Mixer) -> None:
    part = Input("half", "rows", contents={"raw/rows.txt": b"7 a\n"})
    mix = mixer.mix(part)

    assert (mix.path / "raw/rows.txt").read_text() == "7 a\n"
    assert (mixer.new.path / "raw/rows.txt").read_text() == "5 a\n2 b\n9 noise\n4 c\n1 d\n"


def test_inputs_that_cannot_be_put_back_alone_are_put_back_together(mixer: Mixer) -> None:
    gone = Input("raw", "files", contents={"code/clean.py": b"broken"})
    bad = Input("train", "parameters", contents={"code/clean.py": b"broken"})
    alone = Input("train.up", "parameters", (), ("train.up",))
    mixed = mixer.mixes([gone, alone, bad])

    assert [mix.change.name for mix in mixed] == ["train.up", "raw and train"]
    assert mixer.mixes([gone])[0].problem == "code/clean.py: broken: want what is whole"


def test_a_build_that_fails_has_its_problem(mixer: Mixer) -> None:
    mix = mixer.mix(Input("split", "files", contents={"params.yaml": graph.PARAMS.replace("-n", "--no-such").encode()}))
    with (mixer.root.parent / "log").open("w") as log:
        assert not mixer.build(mix, log)

    assert mix.problem == "`dvc repro page` ended with 255; its message is above"
