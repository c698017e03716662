"""A build that is laid beside others: what its dvc.lock records, and its reports, from git or the DVC cache.

Nothing is checked out. What neither has is `missing`, and told. A report counts by the hash that dvc.lock records, so a
file that was edited afterwards is none.
"""

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from modelmake import artifacts
from modelmake.blaming.revisions import Revision
from modelmake.dvc.cache import Cache
from modelmake.dvc.graph import Stage
from modelmake.keys import key_file
from modelmake.running import state_dir
from stages.evaluating.metrics import Statistics
from stages.evaluating.scoring import Answer

SCORED = {  # module: its flag for rows with scores. Those that score answers come first, those that mark these after
    "stages.evaluate": "scored", "stages.lm_eval": "scored", "stages.judge": "judged",
}  # fmt: skip

SUITES = ("evaluate.tasks.", "evaluate.variants.")  # parameters, each of a suite by the name that follows


class Marked(msgspec.Struct):
    """What is read of a row that only has more scores of an answer."""

    id: str
    scores: dict[str, Statistics]


class Build:
    """A build of a revision. Reports are those of the version of modelmake that wrote them."""

    def __init__(self, root: Path, revision: Revision) -> None:
        self.revision, self.name = revision, revision.name
        self.missing: list[str] = []  # reports that were asked for, and are neither in git nor in the cache
        self.shown: set[str] = set()  # stages that were asked for what they wrote
        self._root, self._cache = root, Cache(state_dir.folder(root).parent)

    @cached_property
    def params(self) -> dict[str, Any]:
        """{dotted name: value} of every parameter that a stage declares."""
        return {name: value for stage in self.revision.stages.values() for name, value in stage.params.items()}

    @cached_property
    def outs(self) -> dict[str, dict[str, Any]]:
        """{path: its entry in dvc.lock} of every output."""
        return {out["path"]: out for stage in self.revision.stages.values() for out in stage.record.get("outs", [])}

    @cached_property
    def inputs(self) -> dict[str, str]:
        """{path: MD5} of what stages read and none makes, without keys and what preflight reads."""
        result = {}
        for stage in self.revision.stages.values():
            if key_file.FOLDER not in stage.outs:
                result |= {path: md5 for path, md5 in stage.deps.items() if not self._made(path)}
        return result

    def _made(self, path: str) -> bool:
        made = [*self.outs, key_file.FOLDER]
        return any(f"{path}/".startswith(f"{out}/") or out.startswith(f"{path}/") for out in made)

    def recorded(self, module: str, flag: str) -> dict[str, str]:
        """{item, "" of a stage without one: path} of what stages of a module wrote for a flag, as dvc.lock has it."""
        stages = [stage for stage in self._of(module) if stage.flags.get(flag) in self.outs]
        self.shown |= {stage.name for stage in stages}
        return {stage.name.partition("@")[2]: stage.flags[flag] for stage in stages}

    def _of(self, module: str) -> Iterator[Stage]:
        for name, locked in self.revision.stages.items():
            stage = Stage(name, locked.record.get("cmd", ""), (), (), ())
            if stage.module == module:
                yield stage

    def reports(self, module: str, flag: str) -> dict[str, Any]:
        """{item: content} of JSON that stages of a module wrote, as far as it is there."""
        contents = {item: self._read(path) for item, path in self.recorded(module, flag).items()}
        return {item: msgspec.json.decode(content) for item, content in contents.items() if content is not None}

    def report(self, module: str, flag: str) -> Any:
        """The content of JSON that the stage of a module wrote; {} where it is not there."""
        return self.reports(module, flag).get("", {})

    def scored(self, model: str, suite: str) -> list[str]:
        """The MD5 of each file with scores of a model's answers; none where it was not evaluated."""
        return [self.outs[path].get("md5", "") for path in self._scored(model, suite)]

    def answers(self, model: str, suite: str) -> list[Answer] | None:
        """The answers of a model to a suite with all of their scores; None where they are not there."""
        paths = self._scored(model, suite)
        contents = [content.splitlines() for path in paths if (content := self._read(path)) is not None]
        if not contents or paths[0] in self.missing:
            return None
        answers = [msgspec.json.decode(line, type=Answer) for line in contents[0]]
        for lines in contents[1:]:
            more = {row.id: row.scores for row in (msgspec.json.decode(line, type=Marked) for line in lines)}
            answers = [msgspec.structs.replace(a, scores=a.scores | more[a.id]) for a in answers if a.id in more]
        return answers

    def declared(self, model: str, suite: str) -> dict[str, Any]:
        """{metric: {better, least, most, source}} of these scores."""
        found = [self.reports(module, "scores").get(f"{model}-{suite}", {}) for module in SCORED]
        return {name: meaning for report in found for name, meaning in report.get("declared", {}).items()}

    def _scored(self, model: str, suite: str) -> list[str]:
        found = [self.recorded(module, flag).get(f"{model}-{suite}") for module, flag in SCORED.items()]
        return [path for path in found if path]

    @property
    def suites(self) -> list[str]:
        """Names of suites, and of tasks and variants, which are suites too."""
        others = dict.fromkeys(n.split(".")[2] for n in self.params if n.startswith(SUITES))
        return [*self.params.get("evaluate.suites", []), *others]

    @property
    def suite(self) -> str:
        """The suite whose metrics have no prefix."""
        return self.params.get("compare.suite", "")

    @property
    def model(self) -> str:
        """The model of the card, or the last evaluated one if that was not evaluated; "" if none was."""
        models = self.params.get("evaluate.models") or [""]
        return self.params["card.model"] if self.params.get("card.model") in models else models[-1]

    def stage(self, module: str) -> str:
        """The name of the first stage of a module; "" where there is none."""
        return next((stage.name for stage in self._of(module)), "")

    def key(self, stage: str) -> dict[str, Any]:
        """What the key of a stage lists; {} where git has another one, or none."""
        path, md5 = key_file.path_of(stage), self.keys.get(stage)
        content = self.revision.file(self._root, path)
        return msgspec.json.decode(content) if content is not None and artifacts.md5(content) == md5 else {}

    @cached_property
    def keys(self) -> dict[str, str]:
        """{stage: MD5 of its key}."""
        stages = self.revision.stages.items()
        return {name: stage.deps[stage.key_file] for name, stage in stages if stage.key_file in stage.deps}

    def _read(self, path: str) -> bytes | None:
        """The content of an output, with the hash that dvc.lock records."""
        md5 = self.outs[path].get("md5", "")
        content = self.revision.file(self._root, path)
        if content is None or artifacts.md5(content) != md5:
            content = self._cache.read(md5)
        if content is None and path not in self.missing:
            self.missing.append(path)
        return content
