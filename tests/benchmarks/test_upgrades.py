"""Reruns in a made-up history are counted as by hand: by the keys of then, and by today's."""

import json
import subprocess
from pathlib import Path

from benchmarks import upgrades
from benchmarks.upgrades_layouts import Layout
from modelmake.artifacts import md5
from modelmake.keys.carrying import Cut

LAYOUT = Layout(
    Cut({"modelmake.harness.run": ""}, {"modelmake.decides.call": ""}, {"modelmake.harness": ""}),
    carrying={"modelmake.decides.WORDS"},
    lines={"modelmake/decides.py": ["print(WORDS)", "print(WORDS, 2)"]},
)
STAGE = """from modelmake import harness

def main():
    return {name}

if __name__ == "__main__":
    harness.run(main)
"""
FILES = {
    ".python-version": "3.11\n",
    "uv.lock": '[[package]]\nname = "torch"\nversion = "2.13.0"\n',
    "modelmake/__init__.py": "",
    "modelmake/harness.py": "from modelmake import decides\n\ndef run(main):\n    print(decides.call(main), 1)\n",
    "modelmake/decides.py": "WORDS = 'one'\n\ndef call(main):\n    print(WORDS)\n    return main()\n",
    "stages/__init__.py": "",
    "stages/a.py": STAGE.format(name="1"),
    "stages/b.py": STAGE.format(name="2"),
}


class History:
    """A repository in which dvc.lock is written by hand."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock: dict[str, dict] = {}
        subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
        for path, text in FILES.items():
            self.write(path, text)

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text()
        assert old in text
        self.write(path, text.replace(old, new))

    def built(self, stage: str, key: str, out: str, rate: int = 1) -> None:
        """Records a run of a stage under a key that then was `key`, with the output `out`."""
        content = json.dumps({"symbols": {}, "made up": key})
        self.write(f"keys/{stage}.json", content)
        self.lock[stage] = {
            "cmd": f"python -m stages.{stage} --rows rows",
            "deps": [{"path": f"keys/{stage}.json", "md5": md5(content.encode())}, {"path": "rows", "md5": "0"}],
            "params": {"params.yaml": {"rate": rate}},
            "outs": [{"path": f"{stage}.out", "md5": out}],
        }

    def commit(self) -> None:
        self.write("dvc.lock", json.dumps({"schema": "2.0", "stages": self.lock}))
        identity = ["-c", "user.name=t", "-c", "user.email=t@t"]
        for command in (["add", "-A"], [*identity, "commit", "-qm", "built"]):
            subprocess.run(["git", *command], cwd=self.root, check=True)


def test_reruns_by_key_alone_are_counted_by_the_keys_of_then_and_of_today(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.built("a", "1", "A")
    history.built("b", "1", "B")
    history.commit()
    history.edit("modelmake/harness.py", "1)", "2)")  # carries: both ran again, for nothing
    history.built("a", "2", "A")
    history.built("b", "2", "B")
    history.commit()
    history.edit("modelmake/decides.py", "return main()", "return str(main())")  # decides: both ran again
    history.built("a", "3", "A")
    history.built("b", "3", "B")
    history.commit()
    history.edit("modelmake/decides.py", "'one'", "'two'")  # words among what decides, and the line that prints them
    history.edit("modelmake/decides.py", "print(WORDS)", "print(WORDS, 2)")
    history.built("a", "4", "A")
    history.commit()
    history.edit("stages/a.py", "return 1", "return 3")  # its own code, other bytes
    history.built("a", "5", "A5")
    history.commit()
    history.edit("modelmake/harness.py", "2)", "3)")  # carries, and yet the bytes of b are others
    history.built("b", "6", "B6")
    history.commit()
    history.built("a", "7", "A7", rate=2)  # a parameter too: no rerun by its key alone
    history.commit()
    history.built("b", "8", "B6")
    history.write("keys/b.json", "{}")  # of code that was not committed
    history.commit()
    history.edit("stages/a.py", "return 3", "return 4")  # a commit without a build
    history.commit()

    assert upgrades.count(tmp_path, [LAYOUT]) == {
        "commits": 6,
        "before": {"a": {"stale": 4, "changed": 1}, "b": {"stale": 4, "changed": 1}},
        "now": {"a": {"stale": 2, "changed": 1, "missed": 0}, "b": {"stale": 2, "changed": 0, "missed": 1}},
    }


def test_where_no_layout_fits_all_of_the_harness_counts(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.built("a", "1", "A")
    history.commit()
    history.edit("modelmake/harness.py", "1)", "2)")
    history.built("a", "2", "A")
    history.commit()
    other = Layout(Cut(LAYOUT.cut.entries, {"modelmake.elsewhere.call": ""}, LAYOUT.cut.carrying))

    assert upgrades.count(tmp_path, [other])["now"] == {"a": {"stale": 1, "changed": 0, "missed": 0}}
    assert upgrades.count(tmp_path, [other, LAYOUT])["now"] == {"a": {"stale": 0, "changed": 0, "missed": 0}}


def test_modules_that_parameters_chose_are_those_that_the_code_alone_does_not_reach(tmp_path: Path) -> None:
    history = History(tmp_path)
    history.write("stages/chosen.py", "RATE = 1\n")
    for number in (1, 2):
        history.write("stages/chosen.py", f"RATE = {number}\n")
        history.built("a", str(number), "A")
        content = json.dumps({"symbols": {"stages.chosen": {}, "stages.a": {}}, "made up": number})
        history.write("keys/a.json", content)
        history.lock["a"]["deps"][0]["md5"] = md5(content.encode())
        history.commit()

    assert upgrades.count(tmp_path, [LAYOUT])["now"]["a"]["stale"] == 1
