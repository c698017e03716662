"""A graph drawn as `git log --graph` draws history: one row a stage, edges as lanes beside them.

A layered drawing of nodes needs the width of its widest layer, and a build is mostly a chain: it would be tall, thin
and unreadable on a telephone. Rows take any width, any number of stages, and text beside every stage.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import networkx as nx

Lane = tuple[str, str]  # ("out", stage): what it gave, until its last taker; ("into", stage): what it waits for


class Row(NamedTuple):
    """One stage, and the columns of the lanes around it."""

    stage: str
    column: int
    arriving: tuple[int, ...]  # from the top to the stage
    leaving: tuple[int, ...]  # from the stage to the bottom
    through: tuple[int, ...]  # past the stage

    @property
    def below(self) -> tuple[int, ...]:
        """Lanes at the bottom of the row."""
        return tuple(sorted({*self.leaving, *self.through}))


def makers(stages: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, list[str]]]:
    """{stage: {dep: stages that make it}}: whose out is the dep, lies in it, or holds it. As in keys/graph.json."""
    outs = [(f"{out}/", name) for name in sorted(stages) for out in stages[name]["outs"]]
    return {
        name: {
            dep: list(dict.fromkeys(m for out, m in outs if f"{dep}/".startswith(out) or out.startswith(f"{dep}/")))
            for dep in stages[name]["deps"]
        }
        for name in sorted(stages)
    }


def reduced(stages: Mapping[str, Mapping[str, Any]]) -> nx.DiGraph:
    """Who hands something to whom, without edges that a longer way implies."""
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(stages))
    for name, deps in makers(stages).items():
        graph.add_edges_from((maker, name) for found in deps.values() for maker in found)
    return nx.transitive_reduction(graph)


class _Lanes:
    """The lanes between two rows."""

    def __init__(self, graph: nx.DiGraph, lanes: dict[Lane, int], waiting: dict[Lane, frozenset[str]]) -> None:
        self.graph, self.columns, self.waiting = graph, lanes, waiting

    def lane(self, maker: str, taker: str) -> Lane:
        """Edges share a lane at their busier end, so that a fan of many is one line."""
        fan_out, fan_in = self.graph.out_degree(maker), self.graph.in_degree(taker)
        return ("out", maker) if fan_out >= fan_in else ("into", taker)

    def free(self, wanted: int = 0) -> int:
        taken = set(self.columns.values())
        return next(c for c in [wanted, *range(len(taken) + 1)] if c not in taken)

    def after(self, stage: str) -> tuple[Row, "_Lanes"]:
        """The row of a stage, and the lanes below it."""
        below = _Lanes(self.graph, dict(self.columns), dict(self.waiting))
        arriving, ended = {}, []
        for maker in self.graph.predecessors(stage):
            lane = self.lane(maker, stage)
            if lane in arriving:
                continue
            arriving[lane] = self.columns[lane]
            below.waiting[lane] -= {stage}
            if not below.waiting[lane]:
                ended.append(below.columns.pop(lane))
        column = below.free(min(ended, default=0))
        through = tuple(sorted(below.columns.values()))
        leaving = set()
        for taker in sorted(self.graph.successors(stage)):
            lane = self.lane(stage, taker)
            if lane not in below.columns:
                below.columns[lane] = below.free(column)
                takers = self.graph.successors(stage)
                below.waiting[lane] = frozenset(t for t in takers if self.lane(stage, t) == lane)
            leaving.add(below.columns[lane])
        return Row(stage, column, tuple(sorted(set(arriving.values()))), tuple(sorted(leaving)), through), below


def rows(graph: nx.DiGraph) -> list[Row]:
    """Every stage in an order of the build that keeps the lanes few; ties go to the stage with the most takers,
    then to what was just made possible, then to the name."""
    waits = dict(graph.in_degree())
    ready = {name: 0 for name, n in waits.items() if n == 0}  # -> row that made it possible
    lanes, result = _Lanes(graph, {}, {}), []
    while ready:
        tried = {name: lanes.after(name) for name in ready}
        stage = min(
            ready, key=lambda name: (len(tried[name][1].columns), -graph.out_degree(name), -ready[name], name)
        )  # fmt: skip
        row, lanes = tried[stage]
        result.append(row)
        del ready[stage]
        for taker in graph.successors(stage):
            waits[taker] -= 1
            if waits[taker] == 0:
                ready[taker] = len(result)
    return result
