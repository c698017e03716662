"""Mixes the training rows of several sources by weight, and measures the mix against its targets.

Inputs:  train     folder of training rows, {chat,pair,judged,text}.jsonl
         augmented folder of generated rows, {chat,pair,judged,text}.jsonl, with their parents.parquet {id, method, ...}
         sources   Parquet {id, file, line}: raw lines of the ingested rows
         parents   Parquet {id, parent, rules}: earlier forms of the cleaned rows
         needs     JSON [kind]: the kinds of rows that are trained on, as preflight wrote them
Outputs: mixed     folder of {chat,pair,judged,text}.jsonl: {id, content}, sorted by id, as often as one pass shows it
         unmixed   Parquet {id, reason, detail}: rows beyond the share of their source
         report    JSON {in, out, dropped, repeats, kinds: {kind: {rows, sources: {source: {in, rows, share, epochs}},
                   shares: {trait: {share, target, verdict}}}}}; `epochs`: passes over the source in one over the mix;
                   share `synthetic` has `unknown`, the share of rows of which params.yaml does not say it, if any
Params:  mix

A generated row counts as of the file augment:METHOD. Memory: id, files and traits of each row, never its content.
"""

import fnmatch
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from modelmake import harness
from modelmake.errors import UserError
from modelmake.signature import In, Out
from stages.params.data import Mix
from stages.rows import accounting, parquet_table, parts, provenance
from stages.rows.accounting import Drop
from stages.rows.mapped_rows import MappedRows
from stages.rows.row import KINDS, Row

AUGMENT_PREFIX = "augment:"
ROW_TRAITS = {kind: () if kind == "text" else ("multi_turn", "system") for kind in KINDS}
SOURCE_TRAITS = ("general", "synthetic")


def source_of(files: Iterable[str], params: Mix) -> str:
    """The source with the longest glob that matches a file of the row; of equally long ones the first by name.

    Raises:
        UserError: the files belong to no source.
    """
    matching = [
        (-len(glob), name) for name, source in params.sources.items() for glob in source.files
        if any(fnmatch.fnmatchcase(file, glob) for file in files)
    ]  # fmt: skip
    if matching:
        return min(matching)[1]
    raise UserError(
        f"params.yaml: mix.sources: {', '.join(files)}: matches no source: want every file in one; "
        'name it in the `files` of one, or add a source with files: ["*"]'
    )


def source_sizes(available: Mapping[str, int], params: Mix) -> dict[str, int]:
    """{source: rows in the mix}, given the rows that each source has.

    The mix is as large as all sources together, or as large as the weights allow while no source is shown more than
    max_epochs times. Rows lost in rounding go to the largest remainders.
    """
    weights = {name: params.sources[name].weight for name, n in available.items() if n and params.sources[name].weight}
    total_weight = sum(weights.values())
    shares = {name: weight / total_weight for name, weight in weights.items()}
    limits = (int(params.max_epochs * available[name] / share) for name, share in shares.items())
    total = min([sum(available.values()), *limits])
    exact = {name: share * total for name, share in shares.items()}
    sizes = {name: int(exact.get(name, 0)) for name in available}
    remaining = (total if shares else 0) - sum(sizes.values())
    for name in sorted(exact, key=lambda n: (sizes[n] - exact[n], n))[:remaining]:
        sizes[name] += 1
    return sizes


def repetitions(ids: Sequence[str], size: int, seed: int) -> dict[str, int]:
    """{id: times} that sum to `size`: all equally often, those with the smallest hashes once more.

    The hashes make an added row change few others.
    """
    times, extra = divmod(size, len(ids))
    order = sorted(ids, key=lambda id: hashlib.sha256(f"{seed}:{id}".encode()).digest()) if extra else ids
    return {id: times + (place < extra) for place, id in enumerate(order)}


def row_traits(row: Row) -> frozenset[str]:
    """The row's share of ROW_TRAITS."""
    roles = [message.role for message in parts.split(row.content).prompt]
    traits = {"multi_turn": roles.count("user") > 1, "system": roles[:1] == ["system"]}
    return frozenset(trait for trait, is_so in traits.items() if is_so)


def trait_shares(
    kind: str, counts: Counter[str], unknown: int, total: int, params: Mix
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """{trait: {share, target, verdict}} of the mixed rows of a kind.

    The verdict is below, within, above, unknown if the rows that may have the trait decide it, or None without target.

    Args:
        counts: mixed rows with each trait, repetitions counted.
        unknown: those of sources that may be synthetic; told as a share too if there are any.
        total: mixed rows, repetitions counted; above 0.
    """
    shares: dict[str, dict[str, Any]] = {}
    for trait in (*SOURCE_TRAITS, *ROW_TRAITS[kind]):
        share, target = round(counts[trait] / total, 4), getattr(params.targets, trait)
        shares[trait] = {"share": share, "target": target, "verdict": None}
        most = share
        if unknown and trait == "synthetic":
            shares[trait]["unknown"] = round(unknown / total, 4)
            most += shares[trait]["unknown"]
        if target:
            decided = "within" if target[0] <= share and most <= target[1] else "unknown"
            shares[trait]["verdict"] = "below" if most < target[0] else "above" if share > target[1] else decided
    return shares


class KindMix:
    """The mix of one kind of rows."""

    def __init__(self, kind: str, rows: Sequence[MappedRows], params: Mix) -> None:
        self.kind, self.rows, self.params = kind, rows, params
        self.ids: list[str] = []
        self.traits: list[frozenset[str]] = []  # of each row
        interned: dict[frozenset[str], frozenset[str]] = {}
        for row in itertools.chain(*rows):
            self.ids.append(row.id)
            traits = row_traits(row)
            self.traits.append(interned.setdefault(traits, traits))
        self.times: dict[str, int] = {}  # id -> how often the mix has the row
        self.drops: list[Drop] = []
        self.report: dict[str, Any] = {}

    def mix(self, files: Mapping[str, Sequence[str]]) -> None:
        """Sets `times`, `drops` and `report`.

        Args:
            files: {id: raw files of the row}.
        """
        ids_by_source: dict[str, list[str]] = {name: [] for name in self.params.sources}
        for id in self.ids:
            ids_by_source[source_of(files[id], self.params)].append(id)
        sizes = source_sizes({name: len(ids) for name, ids in ids_by_source.items()}, self.params)
        total = sum(sizes.values())
        sources, traits, unknown = {}, Counter[str](), 0
        for name, ids in ids_by_source.items():
            if not ids:
                continue
            source, size, epochs = self.params.sources[name], sizes[name], round(sizes[name] / len(ids), 4)
            share = round(size / max(total, 1), 4)
            sources[name] = {"in": len(ids), "rows": size, "share": share, "epochs": epochs}
            self.times |= repetitions(ids, size, self.params.seed)
            self.drops += [Drop(id, "over_share", f"{name}: {epochs} epochs") for id in ids if not self.times[id]]
            generated = sum(self.times[id] for id in ids if files[id][0].startswith(AUGMENT_PREFIX))
            traits["general"] += size if source.general else 0
            traits["synthetic"] += size if source.synthetic else generated
            unknown += size - generated if source.synthetic is None else 0
        for id, names in zip(self.ids, self.traits, strict=True):
            traits.update(dict.fromkeys(names, self.times[id]))
        shares = trait_shares(self.kind, traits, unknown, total, self.params) if total else {}
        self.report = {"rows": total, "sources": sources, "shares": shares}

    def lines(self) -> Iterator[bytes]:
        """The lines of the mix, sorted by id."""
        first = len(self.rows[0])
        for index in sorted(range(len(self.ids)), key=self.ids.__getitem__):
            line = self.rows[0].line(index) if index < first else self.rows[1].line(index - first)
            for _ in range(self.times[self.ids[index]]):
                yield line


def missed_targets(kinds: dict[str, dict[str, Any]]) -> list[str]:
    """A phrase for each share outside its target, or not known: `chat: system 0.500 is above 0 to 0.4`."""
    return [
        f"{kind}: {trait} {entry['share']:.3f} is {entry['verdict']} {entry['target'][0]:g} to {entry['target'][1]:g}"
        if entry["verdict"] != "unknown"
        else f"{kind}: {trait} is not declared of {entry['unknown']:.3f}, so it may be out of "
        f"{entry['target'][0]:g} to {entry['target'][1]:g}"
        for kind, report in kinds.items()
        for trait, entry in report["shares"].items()
        if entry["verdict"] in ("below", "above", "unknown")
    ]


def check_needs(needs: list[str], kinds: dict[str, dict[str, Any]]) -> None:
    """Refuses a mix without rows of a kind that is trained on; otherwise training would tell, minutes later.

    Raises:
        UserError: names all such kinds.
    """
    missing = [kind for kind in needs if not kinds[kind]["rows"]]
    if missing:
        raise UserError("\n".join(
            f"mix: no {kind} to train on, which params.yaml asks for (train.<step>.rows = {kind!r}, or base.source = "
            f"'data/mixed/{kind}.jsonl'): the mix has {', '.join(k for k in kinds if kinds[k]['rows']) or 'no rows'}; "
            "add such rows, take the step out, or let `modelmake init FILES` propose steps"
            for kind in missing
        ))  # fmt: skip


def main(
    train: In, augmented: In, sources: In, parents: In, needs: In, mixed: Out, unmixed: Out, report: Out, params: Mix
) -> str:  # fmt: skip
    mixes = [KindMix(kind, [MappedRows(folder / f"{kind}.jsonl") for folder in (train, augmented)], params)
             for kind in KINDS]  # fmt: skip
    methods = provenance.augment_methods(augmented / "parents.parquet")
    files = provenance.source_files((id for one in mixes for id in one.ids if id not in methods), sources, parents)
    files |= {id: (f"{AUGMENT_PREFIX}{method}",) for id, method in methods.items()}
    for one in mixes:
        one.mix(files)
    check_needs(msgspec.json.decode(needs.read_bytes(), type=list[str]), {one.kind: one.report for one in mixes})
    mixed.mkdir()
    for one in mixes:
        with (mixed / f"{one.kind}.jsonl").open("wb") as file:
            file.writelines(one.lines())
    drops = [drop for one in mixes for drop in one.drops]
    parquet_table.write_drops(unmixed, drops)
    times = [n for one in mixes for n in one.times.values() if n]
    counts = accounting.account(sum(len(one.ids) for one in mixes), len(times), [drop.reason for drop in drops])
    repeats, kinds = sum(times) - len(times), {one.kind: one.report for one in mixes}
    accounting.write_json(report, {**counts, "repeats": repeats, "kinds": kinds})
    return "; ".join([accounting.summary(counts), f"{repeats} repeats", *missed_targets(kinds)])


if __name__ == "__main__":
    harness.run(main)
