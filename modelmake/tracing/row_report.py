"""What became of a row in every build of git's history: consumed, read, held in a file, dropped, or refused."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelmake.domain import Domain
from modelmake.tracing.history import Entry, History
from modelmake.tracing.lineage import raw_path
from modelmake.tracing.row_question import Question


@dataclass
class Found:
    """One answer, and the builds that it is true of."""

    answer: dict[str, Any]
    builds: list[str] = field(default_factory=list)


class _Answers:
    """Answers of many builds; the same answer of several builds is one."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Found]] = defaultdict(dict)

    def add(self, kind: str, build: str, **answer: Any) -> None:
        key = json.dumps(answer)
        self.found[kind].setdefault(key, Found(answer)).builds.append(build)

    def told(self, kind: str, past: History) -> list[dict[str, Any]]:
        return [
            {
                **found.answer,
                "commits": [{"commit": c.sha, "subject": c.subject} for c in past.commits_of(found.builds)],
                "working_tree": past.here in found.builds,
            }
            for found in self.found[kind].values()
        ]


def report(root: Path, asked: str, here: Path, past: History, domain: Domain) -> dict[str, Any]:
    """What every build says of a row: an id, FILE:LINE in raw data, or a text.

    Raises:
        UserError: no build has such a row.
    """
    question = Question(root, asked, here, past, domain)
    answers = _Answers()
    for build, entries in past.builds.items():
        if entries:
            _build(question, build, entries, answers)
    index = question.index
    return {
        "asked": asked,
        "rows": [
            {
                "id": index.id(row),
                "relation": kin.relation,
                "similarity": max(kin.similarity.values()) if kin.similarity else None,
                "text": domain.similarity.text(index.content(row)) or None,
            }
            for row, kin in question.kin.items()
        ],
        "uncompared": {
            "ids": [index.id(row) for row in sorted(question.gone)],
            "more": domain.similarity.uncompared(index),
        },
        "elsewhen": question.elsewhen,
        **{kind: answers.told(kind, past) for kind in KINDS},
        "near": [near._asdict() for near in sorted(question.nears)],
        "unreadable": [{"commit": sha, "problem": problem} for sha, problem in past.unreadable],
    }


KINDS = ("places", "consumed", "read", "held", "dropped", "refused", "unknown", "missing")


def _build(question: Question, build: str, entries: list[Entry], answers: _Answers) -> None:
    """What one build says."""
    index, lineage, near = question.index, question.lineage, question.near(build)
    alike_here = frozenset(
        row for row, kin in question.kin.items()
        if kin.similarity is None or kin.similarity.get(near.chars, 0) >= near.threshold
    )  # fmt: skip
    makers: dict[Entry, list[Entry]] = {}
    lost: dict[Entry, list[str]] = {}
    queue = list(entries)
    while queue:  # dvc.lock may hold a stage that was made from what only an older build has
        entry = queue.pop(0)
        if entry not in makers:
            links = lineage.links(lineage.build_of(build, entry), entry)
            makers[entry] = [maker.entry for link in links for maker in link.makers]
            lost[entry] = [f"{link.path} ({link.lost})" for link in links if link.lost]
            queue += makers[entry]
    seen = {entry: question.seen[entry.number] for entry in makers}
    held_by_md5 = {
        question.files[entry.number][path]: rows & alike_here
        for entry in makers
        for path, rows in seen[entry].held.items()
    }

    def models(starts: Iterable[Entry]) -> dict[str, str]:
        """{path: md5} of the models that are made from what these stages made."""
        reached = set(starts)
        while new := {e for e in makers if e not in reached and reached & set(makers[e])}:
            reached |= new
        return {
            path: md5
            for entry in entries if entry in reached
            for path, md5 in entry.outs.items() if md5 and lineage.is_model(path, md5)
        }  # fmt: skip

    def names(rows: Iterable[int]) -> list[str]:
        return sorted(index.id(row) for row in rows)

    trained: dict[str, str] = {}
    fed: set[Entry] = set()  # makers of the rows that models are made from
    for entry in makers:
        said = seen[entry]
        if said.records:
            fed |= set(makers[entry])
        made = models([entry])
        if (rows := said.consumed & alike_here) and (made or entry in entries):
            answers.add("consumed", build, stage=entry.stage, rows=names(rows), models=made)
            trained |= made
        for row in sorted({r for md5 in entry.deps.values() for r in held_by_md5.get(md5, ())} - said.consumed):
            for path, name in question.left_out(entry, row) if said.records else ():
                answers.add("dropped", build, id=index.id(row), kept=None, table=path, stage=entry.stage, reason=name)
        reads = {row for md5 in entry.deps.values() for row in held_by_md5.get(md5, ())}
        if not said.records and not said.gives and reads and made:
            answers.add("read", build, stage=entry.stage, rows=names(reads), models=made)
            trained |= made
            fed |= set(makers[entry])
        unread = [*said.unread, *question.unread_deps(entry)] if not said.records and not said.gives else []
        if (unread or lost[entry]) and made and lineage.makes_model(entry):
            answers.add("unknown", build, stage=entry.stage, unread=[*unread, *lost[entry]], models=made)
        if entry not in entries:
            continue
        for path in said.unread:
            answers.add("missing", build, path=path, md5=question.files[entry.number][path], stage=entry.stage)
        for path, fact in said.stated:
            told = {"table": path, "stage": entry.stage, **fact.told}
            if fact.kind == "source":
                answers.add("places", build, id=index.id(fact.row), place=f"{raw_path(entry, fact.file)}:{fact.line}")
            elif fact.kind == "drop":
                kept = index.id(fact.other) if fact.other else None
                answers.add("dropped", build, id=index.id(fact.row), kept=kept, **told)
            else:
                answers.add("refused", build, place=f"{raw_path(entry, fact.file)}:{fact.line}", **told)
    every = models(entries)
    for entry in [e for e in makers if e in fed] or [e for e in entries if seen[e].held]:
        for path, rows in seen[entry].held.items():
            if rows & alike_here:
                only = sorted(every.keys() - trained.keys())
                if every and not only:
                    continue
                answers.add("held", build, file=path, stage=entry.stage, rows=names(rows & alike_here), models=only)
