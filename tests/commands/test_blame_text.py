"""The plan and the table, by hand-written builds."""

from dataclasses import replace
from pathlib import Path

from modelmake.blaming.inputs import Input
from modelmake.blaming.mixes import Mix
from modelmake.planning.forecast import Status
from modelmake.planning.plan import Step
from stages.commands import blame_text
from stages.commands.blame_effects import Effects, Moved
from stages.commands.blame_text import Part

FILE = Input("data/raw/a.jsonl", "rows", details=("changed",))
RATE = Input("train.sft", "parameters", details=("train.sft.learning_rate 0.002 -> 0.02",))
DOWN, NOISE, SMALL = Moved(-0.15, -0.2, -0.1, True), Moved(-0.01, -0.04, 0.02, False), Moved(-0.04, -0.06, -0.02, True)


def mix(change: Input, problem: str = "", **seconds: float | None) -> Mix:
    steps = [Step(name, Status.WILL_RUN, [], [], [], took, None, 0) for name, took in seconds.items()]
    return Mix(change, Path(), Path(), steps, problem)


def effects(difference: Moved, beyond: Moved | None) -> Effects:
    return Effects(387, 0.98, 0.78, difference, [], [], [], beyond, 0)


def test_the_plan_has_each_build_with_its_stages_and_what_they_took() -> None:
    plan = blame_text.plan([
        ("1234567890, as it was", mix(FILE)),
        ("data/raw/a.jsonl put back", mix(FILE, preflight=5, ingest=10, clean=1, dedup=1, split=2, mix=None)),
        ("code put back", mix(RATE, "preflight refuses it", train=900)),
        ("train.sft put back", mix(RATE, train=120)),
    ])  # fmt: skip

    assert plan == [
        "build                      last time  stages that run",
        "1234567890, as it was           0:00  none: it was built",
        "data/raw/a.jsonl put back       0:19  preflight, ingest, clean, dedup, 2 more",
        "code put back                  15:00  cannot be built: preflight refuses it",
        "train.sft put back              2:00  train",
        "together: 7 stage runs at most, 2:19 by the last ones on this machine, 1 of them without a record here",
    ]


def test_an_input_is_told_with_what_differs_in_it() -> None:
    assert blame_text.change(RATE) == "  train.sft (parameters): train.sft.learning_rate 0.002 -> 0.02"
    code = Input("code", "code", details=("a.b", "c.d", "e.f", "g.h", "i.j"))
    assert blame_text.change(code) == "  code (code): a.b, c.d, e.f, 2 more"


def test_draws_that_say_nothing_are_told_below_the_table() -> None:
    some = effects(Moved(-0.2, -0.25, -0.15, True), None)
    empty = replace(some, empty_draws=1300)

    line = "1,300 of 10,000 draws hold no row that counts in one of the builds: left out"
    assert line in blame_text.table(empty, [Part(FILE, 0.93, DOWN, 0.75, 31)], {}, [])
    assert line not in blame_text.table(some, [Part(FILE, 0.93, DOWN, 0.75, 31)], {}, [])
    assert blame_text.as_json(empty, [], {}, [])["empty_draws"] == 1300


def test_the_table_has_the_greatest_effect_first_and_its_halves_below_it() -> None:
    half = Part(Input("lines 1 to 9, 5 changed", "rows"), 0.92, Moved(-0.14, -0.19, -0.09, True), 0.7, 29)
    lines = blame_text.table(
        effects(Moved(-0.2, -0.25, -0.15, True), Moved(0.0, -0.01, 0.01, False)),
        [Part(RATE, 0.79, NOISE, 0.05, 6), Part(FILE, 0.93, DOWN, 0.75, 31)],
        {"data/raw/a.jsonl": [half]},
        [mix(Input("code", "code"), "it fails")],
    )

    assert lines == [
        "input                      put back  moved it by            interval  share",
        "data/raw/a.jsonl             0.9300      -0.1500  -0.2000 to -0.1000    75%",
        "  lines 1 to 9, 5 changed    0.9200      -0.1400  -0.1900 to -0.0900    70%",
        "train.sft                    0.7900      -0.0100  -0.0400 to +0.0200     5%  within noise",
        "beyond the sum of each                   +0.0000  -0.0100 to +0.0100     0%  within noise",
        "code: could not be put back: it fails",
    ]


def test_an_input_that_changes_no_score_of_a_row_says_so_and_shares_of_noise_are_left_out() -> None:
    lines = blame_text.table(
        effects(Moved(0.0, -0.01, 0.01, False), None),
        [Part(RATE, 0.98, Moved(0.0, -0.01, 0.01, False), None, 0)],
        {},
        [],
    )

    assert " ".join(lines[1].split()) == "train.sft 0.9800 +0.0000 -0.0100 to +0.0100 no row scored otherwise"


def test_the_verdict_names_causes_with_their_shares_or_says_that_there_is_none() -> None:
    file, rate = Part(FILE, 0.93, DOWN, 0.75, 31), Part(RATE, 0.82, SMALL, 0.2, 9)
    noise = Part(RATE, 0.79, NOISE, None, 6)
    together = Moved(-0.4, -0.5, -0.3, True)

    assert blame_text.verdict([rate, file], [], None) == "cause: data/raw/a.jsonl (75%), train.sft (20%)"
    assert blame_text.verdict([noise], [], None) == "cause: none"
    assert blame_text.verdict([noise, noise], [], together) == "cause: none of the inputs alone, several together"
    unknown = "cause: unknown, an input could not be put back"
    assert blame_text.verdict([noise], [mix(FILE, "it fails")], None) == unknown
