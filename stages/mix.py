"""Mixes the training rows of several sources by their weights, and says what training sees beside what it should.

Inputs:  train     folder of training rows, {chat,pair,text}.jsonl
         augmented folder of such rows that models made, and their parents.parquet {id, method, ...}
         sources   Parquet {id, file, line}: where the ingested rows stood
         parents   Parquet {id, parent, rules}: what the cleaned rows were before
Outputs: mixed     folder of {chat,pair,text}.jsonl: {id, content}, sorted by id, a row as often as a pass shows it
         unmixed   Parquet {id, reason, detail}: rows that are above the share of their source
         report    JSON {in, out, dropped, repeats, kinds: {kind: {rows, sources: {source: {in, rows, share, epochs}},
                   shares: {trait: {share, target, verdict}}}}}; `epochs`: of the source, in one pass over the mix
Params:  mix

The file of a row that a model made is augment:METHOD. Memory: id, files and traits of each row, never its content.
"""

import fnmatch
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.params.data import Mix
from stages.rows import accounting, parquet_table, provenance
from stages.rows.accounting import Drop
from stages.rows.mapped_rows import MappedRows
from stages.rows.row import KINDS, Pair, Row, Text

MADE = "augment:"
TRAITS = {"chat": ("multi_turn", "system"), "pair": ("multi_turn", "system"), "text": ()}  # of rows; others of sources


def source_of(files: Iterable[str], params: Mix) -> str:
    """The first source that has one of the files of a row.

    Raises:
        UserError: none has.
    """
    for name, source in params.sources.items():
        if any(fnmatch.fnmatchcase(file, glob) for glob in source.files for file in files):
            return name
    raise UserError(
        f"params.yaml: mix.sources: {', '.join(files)}: is in none of them: want every file in a source; "
        'name it in the `files` of one, or add a source with files: ["*"]'
    )


def sizes(there: Mapping[str, int], params: Mix) -> dict[str, int]:
    """How many rows each source gives, of those {source: rows} that it has: as many as there are in all, but no source
    is shown more than max_epochs times. What is lost in rounding goes to the largest fractions."""
    weights = {name: params.sources[name].weight for name, n in there.items() if n and params.sources[name].weight}
    whole = sum(weights.values())
    shares = {name: weight / whole for name, weight in weights.items()}
    total = min([sum(there.values()), *(int(params.max_epochs * there[n] / s) for n, s in shares.items())])
    wanted = {name: share * total for name, share in shares.items()}
    found = {name: int(wanted.get(name, 0)) for name in there}
    left = (total if shares else 0) - sum(found.values())
    for name in sorted(wanted, key=lambda n: (found[n] - wanted[n], n))[:left]:
        found[name] += 1
    return found


def repeats(ids: Sequence[str], rows: int, seed: int) -> dict[str, int]:
    """How often each row is shown so that there are so many: all equally often, some by their hash once more, so that
    an added row changes few others."""
    every, more = divmod(rows, len(ids))
    drawn = sorted(ids, key=lambda id: hashlib.sha256(f"{seed}:{id}".encode()).digest()) if more else ids
    return {id: every + (place < more) for place, id in enumerate(drawn)}


def traits(row: Row) -> frozenset[str]:
    """Those of TRAITS that a row has."""
    if isinstance(row.content, Text):
        return frozenset()
    asked = row.content.prompt if isinstance(row.content, Pair) else row.content.messages
    users = sum(message.role == "user" for message in asked)
    return frozenset([*(["multi_turn"] if users > 1 else []), *(["system"] if asked[0].role == "system" else [])])


def shares(kind: str, has: Counter[str], total: int, params: Mix) -> dict[str, dict[str, Any]]:
    """{trait: share of the mixed rows, target and verdict} of a kind."""
    found = {}
    for trait in ("general", "synthetic", *TRAITS[kind]):
        share, target = round(has[trait] / total, 4), getattr(params.targets, trait)
        verdict = None
        if target:
            verdict = "below" if share < target[0] else "above" if share > target[1] else "within"
        found[trait] = {"share": share, "target": target, "verdict": verdict}
    return found


class Mixed:
    """One kind of rows, mixed."""

    def __init__(self, kind: str, found: Sequence[MappedRows], params: Mix) -> None:
        self.kind, self.found, self.params = kind, found, params
        self.ids: list[str] = []
        self.traits: list[frozenset[str]] = []
        known: dict[frozenset[str], frozenset[str]] = {}
        for row in itertools.chain(*found):
            self.ids.append(row.id)
            has = traits(row)
            self.traits.append(known.setdefault(has, has))
        self.times: dict[str, int] = {}
        self.drops: list[Drop] = []
        self.told: dict[str, Any] = {}

    def mix(self, files: Mapping[str, Sequence[str]]) -> None:
        """Decides how often each row is shown, given the files of each."""
        by_source: dict[str, list[str]] = {name: [] for name in self.params.sources}
        for id in self.ids:
            by_source[source_of(files[id], self.params)].append(id)
        given = sizes({name: len(ids) for name, ids in by_source.items()}, self.params)
        total = sum(given.values())
        told, has = {}, Counter[str]()
        for name, ids in by_source.items():
            if not ids:
                continue
            source, epochs = self.params.sources[name], round(given[name] / len(ids), 4)
            told[name] = {"in": len(ids), "rows": given[name], "share": round(given[name] / max(total, 1), 4),
                          "epochs": epochs}  # fmt: skip
            self.times |= repeats(ids, given[name], self.params.seed)
            self.drops += [Drop(id, "over_share", f"{name}: {epochs} epochs") for id in ids if not self.times[id]]
            made = sum(self.times[id] for id in ids if files[id][0].startswith(MADE))
            has.update(
                general=given[name] if source.general else 0, synthetic=given[name] if source.synthetic else made
            )
        for id, found in zip(self.ids, self.traits, strict=True):
            has.update(dict.fromkeys(found, self.times[id]))
        self.told = {"rows": total, "sources": told}
        self.told["shares"] = shares(self.kind, has, total, self.params) if total else {}

    def lines(self) -> Iterator[bytes]:
        """Those of the mix, by id."""
        first = len(self.found[0])
        for index in sorted(range(len(self.ids)), key=self.ids.__getitem__):
            line = self.found[0].line(index) if index < first else self.found[1].line(index - first)
            for _ in range(self.times[self.ids[index]]):
                yield line


def main(
    train: In, augmented: In, sources: In, parents: In, mixed: Out, unmixed: Out, report: Out, params: Mix
) -> str:  # fmt: skip
    found = [Mixed(kind, [MappedRows(folder / f"{kind}.jsonl") for folder in (train, augmented)], params)
             for kind in KINDS]  # fmt: skip
    made = provenance.augment_methods(augmented / "parents.parquet")
    files = provenance.source_files((id for one in found for id in one.ids if id not in made), sources, parents)
    files |= {id: (f"{MADE}{method}",) for id, method in made.items()}
    mixed.mkdir()
    for one in found:
        one.mix(files)
        with (mixed / f"{one.kind}.jsonl").open("wb") as file:
            file.writelines(one.lines())
    drops = [drop for one in found for drop in one.drops]
    parquet_table.write_drops(unmixed, drops)
    shown = [n for one in found for n in one.times.values() if n]
    counts = accounting.account(sum(len(one.ids) for one in found), len(shown), [drop.reason for drop in drops])
    again, kinds = sum(shown) - len(shown), {one.kind: one.told for one in found}
    accounting.write_json(report, {**counts, "repeats": again, "kinds": kinds})
    off = [f"{kind}: {trait} {told['share']:.3f} is {told['verdict']} {told['target'][0]:g} to {told['target'][1]:g}"
           for kind, mix in kinds.items() for trait, told in mix["shares"].items()
           if told["verdict"] in ("below", "above")]  # fmt: skip
    return "; ".join([accounting.summary(counts), f"{again} repeats", *off])


if __name__ == "__main__":
    harness.run(main)
