"""The outcome of a row in every build of git's history: consumed, read, held in a file, dropped, or rejected."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from modelmake.domain import Domain
from modelmake.tracing.history import History
from modelmake.tracing.lineage import TABLES, Lineage, raw_path
from modelmake.tracing.lock_entries import LockedStage
from modelmake.tracing.row_index import Fact, RowIndex
from modelmake.tracing.row_search import RowSearch

Answer = dict[str, Any]
KINDS = ("places", "consumed", "read", "held", "dropped", "rejected", "unknown", "missing")  # of answers


def report(root: Path, question: str, here: Path, history: History, domain: Domain) -> dict[str, Any]:
    """All that the builds record of a row. The question is an id, FILE:LINE in raw data, or a text.

    Raises:
        UserError: no build has such a row.
    """
    index = RowIndex(history)
    search = RowSearch(root, question, here, index, domain.similarity)
    tables = _Tables(search, Lineage(history, domain.model_suffixes))
    answers: dict[str, _Answers] = {kind: _Answers() for kind in KINDS}
    for build, stages in history.builds.items():
        if stages:
            for kind, answer in _Build(build, stages, search, tables).answers():
                answers[kind].add(build, answer)
    return {
        "asked": question,
        "rows": [
            {
                "id": index.id(row),
                "relation": match.relation,
                "similarity": max(match.similarity.values()) if match.similarity else None,
                "text": domain.similarity.text(index.content(row)) or None,
            }
            for row, match in search.matches.items()
        ],
        "uncompared": {
            "ids": [index.id(row) for row in sorted(search.without_content)],
            "more": domain.similarity.uncompared(index),
        },
        "other_builds": search.other_builds,
        **{kind: answers[kind].with_commits(history) for kind in KINDS},
        "near": [criterion._asdict() for criterion in sorted({*search.criteria.values()})],
        "unreadable": history.unreadable,
    }


class _Answers:
    """Answers of many builds. Builds that say the same share one."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}
        self._builds: dict[str, list[str]] = defaultdict(list)

    def add(self, build: str, answer: Answer) -> None:
        key = json.dumps(answer)
        self._answers[key] = answer
        self._builds[key].append(build)

    def with_commits(self, history: History) -> list[Answer]:
        return [
            {
                **answer,
                "commits": [
                    {"commit": commit.sha, "subject": commit.subject}
                    for commit in history.commits_of(self._builds[key])
                ],
                "working_tree": history.working_tree in self._builds[key],
            }
            for key, answer in self._answers.items()
        ]


@dataclass(frozen=True)
class _Outputs:
    """The tables that one stage wrote, as far as they are about the rows in question."""

    consumed: frozenset[int]
    held: dict[str, frozenset[int]]  # {file of rows: those in it}
    facts: list[tuple[str, Fact]]  # table, fact
    unread: list[str]  # outputs that may be or hold tables, and are not in the cache
    lists_consumed: bool  # it records which rows it consumed
    writes_rows: bool


class _Tables:
    """The tables of every stage, looked up for the rows of a search."""

    def __init__(self, search: RowSearch, lineage: Lineage) -> None:
        self.search, self.lineage, self.history, self.index = search, lineage, lineage.history, search.index
        self.kinds = self.index.kinds()
        self.files = {number: self.history.files(stage) for number, stage in self.history.stages.items()}
        self._lists: dict[str, dict[str, set[str]]] = {}

    @cached_property
    def outputs(self) -> dict[int, _Outputs]:
        """{number of a stage: its tables}."""
        rows = self.search.matches.keys()
        condition = "kind IN ('source', 'drop') AND row IN (SELECT value FROM json_each(?))"
        facts = self.index.facts(condition, json.dumps(self.search.certain or list(rows)))
        by_number = {fact.number: fact for fact in [*facts, *self.search.rejected]}
        consumed, held = self.index.tables_with("consumed", rows), self.index.tables_with("rows", rows)
        stating: dict[str, list[int]] = {}
        for kind in ("source", "drop", "rejected"):
            stating |= self.index.tables_with(kind, by_number)
        return {
            number: _Outputs(
                consumed=frozenset(row for md5 in files.values() for row in consumed.get(md5, [])),
                held={path: frozenset(held[md5]) for path, md5 in files.items() if md5 in held},
                facts=[(path, by_number[n]) for path, md5 in files.items() for n in stating.get(md5, [])],
                unread=[path for path, md5 in files.items() if self._is_unread(path, md5)],
                lists_consumed=any(self.kinds.get(md5) == "consumed" for md5 in files.values()),
                writes_rows=any(self.kinds.get(md5) == "rows" for md5 in files.values()),
            )
            for number, files in self.files.items()
        }

    def _is_unread(self, path: str, md5: str) -> bool:
        indexed = not md5 or md5 in self.kinds or md5 in self.history.members
        return not indexed and self.lineage.may_hold_tables(path, md5)

    def unread_inputs(self, stage: LockedStage) -> list[str]:
        """Tables that a stage read and that are not in the cache."""
        return [path for path, md5 in stage.deps.items() if path.endswith((*TABLES,)) and md5 not in self.kinds]

    def left_out(self, stage: LockedStage, row: int) -> list[tuple[str, str]]:
        """(report, key) of each list in a stage's JSON reports that holds the row's id, such as `over_long`."""
        id = self.index.id(row)
        reports = [(path, md5) for path, md5 in stage.outs.items() if path.endswith(".json")]
        return [(path, name) for path, md5 in reports for name, ids in self._id_lists(md5).items() if id in ids]

    def _id_lists(self, md5: str) -> dict[str, set[str]]:
        """{name: list} of the lists of texts in a JSON report."""
        if md5 not in self._lists:
            report = json.loads(self.history.read(md5) or "{}")
            fields = report.items() if isinstance(report, dict) else ()
            self._lists[md5] = {
                name: set(value)
                for name, value in fields
                if isinstance(value, list) and all(isinstance(item, str) for item in value)
            }
        return self._lists[md5]


class _Build:
    """One build, and the stages of older builds from which its stages were made."""

    def __init__(self, name: str, stages: list[LockedStage], search: RowSearch, tables: _Tables) -> None:
        self.stages, self.tables, self.index = stages, tables, search.index
        self.rows = search.matches_in(name)
        self.makers: dict[LockedStage, list[LockedStage]] = {}  # {stage: the makers of its inputs}
        self.lost: dict[LockedStage, list[str]] = {}  # {stage: inputs without a maker, and why}
        lineage = tables.lineage
        queue = list(stages)
        while queue:
            stage = queue.pop(0)
            if stage not in self.makers:
                links = lineage.links(lineage.build_of(name, stage), stage)
                self.makers[stage] = [maker.stage for link in links for maker in link.makers]
                self.lost[stage] = [f"{link.path} ({link.lost})" for link in links if link.lost]
                queue += self.makers[stage]
        self.outputs = {stage: tables.outputs[stage.number] for stage in self.makers}
        self.rows_of = {  # {MD5 of a file of rows: those in it}
            tables.files[stage.number][path]: rows & self.rows
            for stage in self.makers
            for path, rows in self.outputs[stage].held.items()
        }

    def answers(self) -> Iterator[tuple[str, Answer]]:
        """(kind, answer) of all that the build records of the rows."""
        consumers: dict[str, str] = {}  # models that consumed or read a row
        fed: set[LockedStage] = set()  # makers of what models were trained on
        for stage in self.makers:
            outputs, models = self.outputs[stage], self._models_from(stage)
            consumed, read = outputs.consumed & self.rows, self._rows_read(stage)
            keeps_no_list = not outputs.lists_consumed and not outputs.writes_rows
            if outputs.lists_consumed:
                fed |= {*self.makers[stage]}
            if consumed and (models or stage in self.stages):
                yield "consumed", {"stage": stage.name, "rows": self._ids(consumed), "models": models}
                consumers |= models
            if outputs.lists_consumed:
                yield from self._left_out(stage, read - outputs.consumed)
            if keeps_no_list and read and models:
                yield "read", {"stage": stage.name, "rows": self._ids(read), "models": models}
                consumers |= models
                fed |= {*self.makers[stage]}
            unread = [*outputs.unread, *self.tables.unread_inputs(stage)] if keeps_no_list else []
            unread += self.lost[stage]
            if unread and models and self.tables.lineage.makes_model(stage):
                yield "unknown", {"stage": stage.name, "unread": unread, "models": models}
            if stage in self.stages:
                yield from self._stated(stage)
        yield from self._held(fed, consumers)

    def _left_out(self, stage: LockedStage, rows: Iterable[int]) -> Iterator[tuple[str, Answer]]:
        """Rows that a training step read, did not consume, and lists in its report."""
        for row in sorted(rows):
            for path, name in self.tables.left_out(stage, row):
                yield "dropped", {
                    "id": self.index.id(row), "kept": None, "table": path, "stage": stage.name, "reason": name,
                }  # fmt: skip

    def _stated(self, stage: LockedStage) -> Iterator[tuple[str, Answer]]:
        """The facts in the tables that a stage of this build wrote, and its tables that are not in the cache."""
        for path in self.outputs[stage].unread:
            yield "missing", {"path": path, "md5": self.tables.files[stage.number][path], "stage": stage.name}
        for path, fact in self.outputs[stage].facts:
            place = f"{raw_path(stage, fact.file)}:{fact.line}"
            details = {"table": path, "stage": stage.name, **fact.details}
            if fact.kind == "source":
                yield "places", {"id": self.index.id(fact.row), "place": place}
            elif fact.kind == "drop":
                kept = self.index.id(fact.related) if fact.related else None
                yield "dropped", {"id": self.index.id(fact.row), "kept": kept, **details}
            else:
                yield "rejected", {"place": place, **details}

    def _held(self, fed: set[LockedStage], consumers: dict[str, str]) -> Iterator[tuple[str, Answer]]:
        """Files that hold the row, made by stages that also made training files; and models that did not consume it."""
        models = self._models_from(*self.stages)
        without = sorted(models.keys() - consumers.keys())
        if models and not without:
            return
        for stage in [s for s in self.makers if s in fed] or [s for s in self.stages if self.outputs[s].held]:
            for path, rows in self.outputs[stage].held.items():
                if ids := self._ids(rows & self.rows):
                    yield "held", {"file": path, "stage": stage.name, "rows": ids, "models": without}

    def _rows_read(self, stage: LockedStage) -> set[int]:
        return {row for md5 in stage.deps.values() for row in self.rows_of.get(md5, ())}

    def _models_from(self, *stages: LockedStage) -> dict[str, str]:
        """{path: MD5} of the models in this build that were made from what these stages made."""
        reached = {*stages}
        while new := {s for s in self.makers if s not in reached and reached & {*self.makers[s]}}:
            reached |= new
        return {
            path: md5
            for stage in self.stages
            if stage in reached
            for path, md5 in stage.outs.items()
            if md5 and self.tables.lineage.is_model(path, md5)
        }

    def _ids(self, rows: Iterable[int]) -> list[str]:
        return sorted(self.index.id(row) for row in rows)
