"""Layout of the graph as `git log --graph` draws history: one row a stage, edges as lanes beside the rows.

A layered drawing is as wide as its widest layer, and a build is mostly a chain: the drawing would be tall, thin and
unreadable on a telephone. Rows fit any width and any number of stages, with text beside every stage.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import networkx as nx

Lane = tuple[str, str]  # ("out", stage): from a stage to its last consumer; ("into", stage): from its producers to it


class Row(NamedTuple):
    """A stage, its column, and the columns of the lanes in its row."""

    stage: str
    column: int
    arriving: tuple[int, ...]  # from the top of the row to the stage
    leaving: tuple[int, ...]  # from the stage to the bottom of the row
    through: tuple[int, ...]  # past the stage

    @property
    def below(self) -> tuple[int, ...]:
        """Columns of the lanes at the bottom of the row."""
        return tuple(sorted({*self.leaving, *self.through}))


def producers(stages: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, list[str]]]:
    """{stage: {dep: stages with an out that is the dep, lies in it, or contains it}}.

    Args:
        stages: as in keys/graph.json.
    """
    outs = [(f"{out}/", name) for name in sorted(stages) for out in stages[name]["outs"]]
    return {
        name: {
            dep: list(dict.fromkeys(p for out, p in outs if f"{dep}/".startswith(out) or out.startswith(f"{dep}/")))
            for dep in stages[name]["deps"]
        }
        for name in sorted(stages)
    }


def reduced_graph(stages: Mapping[str, Mapping[str, Any]]) -> nx.DiGraph:
    """Edges from producers to consumers, without those that a longer path implies."""
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(stages))
    for name, deps in producers(stages).items():
        graph.add_edges_from((producer, name) for of_dep in deps.values() for producer in of_dep)
    return nx.transitive_reduction(graph)


class _Lanes:
    """The lanes between two rows: their columns, and the stages that each still leads to."""

    def __init__(self, graph: nx.DiGraph, lanes: dict[Lane, int], targets: dict[Lane, frozenset[str]]) -> None:
        self.graph, self.columns, self.targets = graph, lanes, targets

    def lane(self, producer: str, consumer: str) -> Lane:
        """The lane of an edge. Edges share a lane at their busier end, so that a fan of many is one line."""
        fan_out, fan_in = self.graph.out_degree(producer), self.graph.in_degree(consumer)
        return ("out", producer) if fan_out >= fan_in else ("into", consumer)

    def free_column(self, preferred: int = 0) -> int:
        used = set(self.columns.values())
        return next(c for c in [preferred, *range(len(used) + 1)] if c not in used)

    def after(self, stage: str) -> tuple[Row, "_Lanes"]:
        """The row of a stage, and the lanes below it."""
        below = _Lanes(self.graph, dict(self.columns), dict(self.targets))
        arriving, ended = {}, []
        for producer in self.graph.predecessors(stage):
            lane = self.lane(producer, stage)
            if lane in arriving:
                continue
            arriving[lane] = self.columns[lane]
            below.targets[lane] -= {stage}
            if not below.targets[lane]:
                ended.append(below.columns.pop(lane))
        column = below.free_column(min(ended, default=0))
        through = tuple(sorted(below.columns.values()))
        leaving = set()
        for consumer in sorted(self.graph.successors(stage)):
            lane = self.lane(stage, consumer)
            if lane not in below.columns:
                below.columns[lane] = below.free_column(column)
                consumers = self.graph.successors(stage)
                below.targets[lane] = frozenset(c for c in consumers if self.lane(stage, c) == lane)
            leaving.add(below.columns[lane])
        return Row(stage, column, tuple(sorted(set(arriving.values()))), tuple(sorted(leaving)), through), below


def rows(graph: nx.DiGraph) -> list[Row]:
    """A row for every stage, in an order in which they can run.

    Greedy: next comes the stage that leaves the fewest lanes; of equal ones that with the most consumers, then that
    which became ready last, then the first by name.
    """
    missing = dict(graph.in_degree())  # producers that have no row yet
    ready = {name: 0 for name, n in missing.items() if n == 0}  # -> number of rows when it became ready
    lanes, result = _Lanes(graph, {}, {}), []
    while ready:
        options = {name: lanes.after(name) for name in ready}
        stage = min(
            ready, key=lambda name: (len(options[name][1].columns), -graph.out_degree(name), -ready[name], name)
        )  # fmt: skip
        row, lanes = options[stage]
        result.append(row)
        del ready[stage]
        for consumer in graph.successors(stage):
            missing[consumer] -= 1
            if missing[consumer] == 0:
                ready[consumer] = len(result)
    return result
