"""Every edge is drawn, rows are in an order in which stages can run, and no two lanes share a column."""

import itertools

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from stages.reporting import graph_lanes
from stages.reporting.graph_lanes import Row


def stage(deps: str = "", outs: str = "") -> dict[str, list[str]]:
    return {"deps": deps.split(), "outs": outs.split()}


def test_producers_of_a_dep_have_an_out_that_is_it_contains_it_or_lies_in_it() -> None:
    stages = {
        "split": stage(outs="data/splits"),
        "train": stage("data/splits/train.jsonl raw", "models/a reports/a.json"),
        "other": stage(outs="models/ab"),
        "report": stage("reports models/a"),
    }

    assert graph_lanes.producers(stages)["train"] == {"data/splits/train.jsonl": ["split"], "raw": []}
    assert graph_lanes.producers(stages)["report"] == {"reports": ["train"], "models/a": ["train"]}


def test_edges_that_a_longer_path_implies_are_left_out() -> None:
    stages = {"a": stage(outs="x"), "b": stage("x", "y"), "c": stage("x y", "z")}

    assert set(graph_lanes.reduced_graph(stages).edges) == {("a", "b"), ("b", "c")}


def test_a_chain_is_one_lane() -> None:
    graph = nx.DiGraph([("a", "b"), ("b", "c")])

    assert graph_lanes.rows(graph) == [
        Row("a", 0, (), (0,), ()),
        Row("b", 0, (0,), (0,), ()),
        Row("c", 0, (0,), (), ()),
    ]


def test_a_branch_has_a_lane_of_its_own_until_it_joins() -> None:
    graph = nx.DiGraph([("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")])

    assert graph_lanes.rows(graph) == [
        Row("a", 0, (), (0,), ()),
        Row("b", 1, (0,), (1,), (0,)),
        Row("c", 0, (0,), (1,), (1,)),
        Row("d", 1, (1,), (), ()),
    ]


def test_a_fan_of_twelve_files_takes_at_most_four_lanes() -> None:
    graph = nx.DiGraph([("model", "answers")])
    for n in range(12):
        graph.add_edges_from(
            [("model", f"file{n}"), (f"file{n}", f"parity{n}"), ("answers", f"parity{n}"), (f"parity{n}", "end")]
        )

    assert max(len(row.below) for row in graph_lanes.rows(graph)) <= 4


@st.composite
def graphs(draw: st.DrawFn) -> nx.DiGraph:
    n = draw(st.integers(1, 9))
    pairs = list(itertools.combinations(range(n), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    graph = nx.DiGraph()
    graph.add_nodes_from(f"s{i}" for i in range(n))
    graph.add_edges_from((f"s{a}", f"s{b}") for a, b in chosen)
    return nx.transitive_reduction(graph)


@given(graphs())
def test_every_edge_can_be_followed_from_row_to_row(graph: nx.DiGraph) -> None:
    rows = graph_lanes.rows(graph)
    place = {row.stage: i for i, row in enumerate(rows)}

    assert sorted(place) == sorted(graph)
    for before, after in itertools.pairwise(rows):
        assert set(before.below) == {*after.arriving, *after.through}, "a lane begins and ends at stages"
        assert after.column not in after.through
    assert rows[-1].below == ()
    for producer, consumer in graph.edges:
        between = rows[place[producer] + 1 : place[consumer]]
        columns = set(rows[place[producer]].leaving).intersection(*(row.through for row in between))
        assert columns & set(rows[place[consumer]].arriving), f"{producer} -> {consumer} is drawn"
