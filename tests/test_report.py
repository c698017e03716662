"""The page says what the build's files say, at any shape of build; the same files give the same bytes."""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from modelmake import params
from stages import report
from stages.params.training import Step
from stages.reporting import html as page
from stages.reporting import summaries
from tests.conftest import ROOT, Project
from tests.made_up_build import SHAPES, Build, answer, entry


class Text(HTMLParser):
    """What a reader reads: text, with one space between elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.skipped = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skipped += tag in ("script", "style")

    def handle_endtag(self, tag: str) -> None:
        self.skipped -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.skipped:
            self.parts.append(data)

    def __str__(self) -> str:
        return re.sub(r"\s+([,.:;])", r"\1", " ".join(" ".join(self.parts).split()))


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return Build(tmp_path)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the page of the build says, as it is written by hand."""
    return shown(Build(tmp_path_factory.mktemp("plain")))


def shown(build: Build) -> str:
    return str(Text(build.render().read_text("utf-8")))


def test_the_verdict_comes_first_with_the_gates_in_plain_words(text: str) -> None:
    assert text.index("✓ pass The gate holds") < text.index("The build 23 stages")
    assert "exact_match of sft is 0.995, at least 0.800 is wanted. The 95 % interval is 0.980 to 1.000." in text


def test_a_failed_gate_stands_before_those_that_pass_and_says_what_was_not_measured(build: Build) -> None:
    SHAPES["failing"](build)
    text = shown(build)

    assert "✗ fail 2 of 3 gates fail" in text
    assert "label_accuracy of dpo was not measured." in text
    assert text.index("✗ fail dpo is compact") < text.index("✓ pass sft answers")


def test_a_gate_that_holds_by_luck_says_so(build: Build) -> None:
    build.gates["sft_answers"] |= {"found": 0.81, "low": 0.75, "high": 0.86}

    assert "0.750 to 0.860, and reaches below the bound: more held-out rows would settle it." in shown(build)


def test_a_gate_that_reached_its_bound_on_too_few_rows_says_why_it_fails(build: Build) -> None:
    build.gates["sft_answers"] |= {"verdict": "fail", "why": "8 rows, want at least 100"}

    assert "It fails all the same: 8 rows, want at least 100." in shown(build)


def test_without_gates_nothing_is_proven(build: Build) -> None:
    SHAPES["missing"](build)

    assert "✗ fail No gates are declared, so nothing is proven" in shown(build)


def test_every_stage_says_what_it_took_and_gave(text: str) -> None:
    assert "ingest 5,300 rows in 1 file → 5,208 rows 92 dropped" in text
    assert "split 5,208 rows → 5,000 train, 200 val, 8 test none dropped" in text
    assert "augment 40 rows → 33 rows 7 dropped" in text
    assert "mix 5,000 rows → 5,000 rows to train on none dropped" in text
    assert "base rows to pretrain on → 1,234,567 parameters 20 steps, loss 2 → 0.5; 0.75 on held-out rows" in text
    assert "train@sft 5,000 chat rows → 2 kB 20 steps, loss 2 → 0.5; 0.75 on held-out rows" in text
    assert "merge@dpo 2 kB + 2 kB → 2 kB" in text
    assert "evaluate@dpo-chat 8 questions → exact_match 0.750" in text
    assert "quantize@Q8_0 2 kB → 500 B" in text
    assert "parity@Q8_0 8 questions → 8 answered as the model does exact_match 0.750 → 0.750" in text


def test_a_stage_that_the_page_does_not_know_is_counted() -> None:
    node = {"module": "stages.mine", "deps": ["keys/mine.json", "a", "b"], "outs": ["c"], "params": []}
    build = summaries.Build({"mine": node}, {}, {}, {}, {}, {}, {}, {}, {})

    assert summaries.tell(build, "mine") == summaries.Summary("2 inputs", "1 output")


def test_the_funnel_names_every_reason_most_rows_first_and_where_the_rows_are(text: str) -> None:
    assert "92 of 5,300 raw rows were dropped, each with its reason" in text
    assert text.index("repeated ingest 80") < text.index("broken json ingest 12")
    assert "data/ingested/rejected.jsonl" in text


def test_what_training_sees_is_told_by_source_and_held_against_its_targets(text: str) -> None:
    assert "chat desk 4,000 4,000 0.800 1 chat general 1,000 1,000 0.200 1" in text
    assert "chat: general 0.200, within 0.1 to 0.3 chat: multi turn 0.050, below 0.1 to 0.5" in text


def test_models_are_told_apart_only_where_the_interval_leaves_out_zero(build: Build) -> None:
    SHAPES["missing"](build)
    text = shown(build)

    assert "base 0.500 0.450 to 0.550 the baseline" in text
    assert "sft 0.500 0.450 to 0.550 no clear difference −0.100 to +0.100" in text
    assert "dpo 0.400 0.350 to 0.450 ▼ −0.100 −0.150 to −0.050" in text
    assert "compact base not measured – sft 1.000" in text


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.01, 0.2, "better"),
        (-0.2, -0.01, "worse"),
        (0.0, 0.2, "no clear difference"),
        (-0.1, 0.1, "no clear difference"),
    ],
)
def test_a_difference_in_words(low: float, high: float, said: str) -> None:
    assert page.difference(entry(0.5, ((low + high) / 2, low, high))) == said


@pytest.mark.parametrize(
    ("value", "text"), [(0.25, "+0.250"), (-0.25, "−0.250"), (0.0, "0.000"), (-0.0001, "0.000"), (0.0001, "0.000")]
)
def test_a_difference_has_its_sign_and_zero_has_none(value: float, text: str) -> None:
    assert page.signed(value) == text


@pytest.mark.parametrize(("value", "text"), [(999, "999 B"), (2232912, "2.23 MB"), (658960, "659 kB"), (16e9, "16 GB")])
def test_sizes_in_decimal_units(value: int, text: str) -> None:
    assert summaries.size(value) == text


def test_a_strip_reaches_from_0_to_1_or_as_far_as_the_values() -> None:
    share, score = {"a": {"m": entry(0.5)}}, {"a": {"m": entry(3.0)}, "b": {"m": entry(-0.95)}}

    assert page.scale(share, "m") == (0.0, 1.0)
    assert page.scale(score, "m") == (-1.0, 3.05)
    assert page.on(0.25, (-1.0, 1.0)) == "62.50%"


def test_a_quantized_file_is_counted_row_by_row_against_its_model() -> None:
    model = [answer("a", "x", True), answer("b", "x", True), answer("c", "x", False), answer("d", "x", False)]
    file = [answer("a", "x", True), answer("b", "y", False), answer("c", "y", True), answer("d", "z", False)]

    assert report.changes(file, model, "exact_match") == {"same": 1, "worse": 1, "better": 1}


def test_files_that_answer_alike_are_counted_once_they_are_many() -> None:
    files = ("q1", "q2", "q3", "q4")

    assert page.named(("dpo", "q1"), files) == "dpo, q1"
    assert page.named(("sft", "dpo", *files), files) == "sft, dpo, all 4 files"
    assert page.named(("dpo", "q1", "q2", "q3", "q4"), (*files, "q5")) == "dpo, 4 of 5 files"


def test_sections_are_spelt_as_params_yaml_spells_them(build: Build) -> None:
    sft = params.section(build.values, "train.sft", Step, "params.yaml")

    text = page.spelt({"sft": sft})
    assert "\n  from: base\n" in text and "\n  method: sft\n" in text and "\n  lora: null\n" in text


@pytest.mark.parametrize("shape", SHAPES)
def test_any_shape_of_build_gives_one_file_that_names_no_address(build: Build, shape: str) -> None:
    SHAPES[shape](build)
    html = build.render().read_text("utf-8")
    markup = re.sub(r"<(script|style).*?</\1>", "", html, flags=re.DOTALL)

    found = re.findall(r"<[^>]* (?:src|href|srcset|action|poster|data)=\"([^\"]*)\"", markup)
    assert {address for address in found if not address.startswith("#")} == {"data:,"}
    assert not re.search(r"@import|url\(", (ROOT / "stages/reporting/templates/page/page.css").read_text())


def test_what_rows_say_is_text_and_never_markup(build: Build) -> None:
    SHAPES["failing"](build)
    html = build.render().read_text("utf-8")
    markup = html[: html.index("<script>")]

    assert html.count("<script>") == 2, "the library's and the page's"
    assert "<img" not in markup
    assert "&lt;/script&gt;&lt;script&gt;document.title" in html


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (Build(tmp_path / name).render().read_bytes() for name in ("a", "b"))

    assert first == second


def test_hashes_and_rows_of_the_raw_data_are_shown(text: str) -> None:
    assert "rows.jsonl 5,300 3 B 8a80554c91d9fca8acb82f023de02f11" in text
    assert "chat.jsonl" in text and "models/quantized/Q8_0 quantize@Q8_0 500 B" in text


def test_hashes_are_those_of_the_lock_and_the_command_finds_the_commit_in_a_clone(
    project: Project, tmp_path: Path
) -> None:
    text = str(Text(project.read("reports/index.html")))
    lock = project.read("dvc.lock")
    for command in (["add", "dvc.lock"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "the build"]):
        subprocess.run(["git", *command], cwd=project.path, check=True)
    subprocess.run(["git", "clone", "-q", project.path, tmp_path / "clone"], check=True)

    listed = re.findall(r"(?:models/\S+) \S+@?\S* [\d.]+ [kMG]?B ([0-9a-f]{32}(?:\.dir)?)", text)
    assert len(listed) == 6 and all(md5 in lock for md5 in listed)
    command = re.search(r"git log --all --oneline -S[0-9a-f]{32}\.dir -- dvc\.lock", text)[0]
    done = subprocess.run(command, shell=True, cwd=tmp_path / "clone", capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].endswith("the build")


def test_the_page_of_a_real_build_gives_the_verdict_and_the_counts_of_its_files(built: Project) -> None:
    text = str(Text(built.read("reports/index.html")))
    verdict, ingest = built.json("reports/gate.json")["verdict"], built.json("reports/data/ingest.json")

    assert f"{'✓' if verdict == 'pass' else '✗'} {verdict}" in text
    assert f"ingest {ingest['in']:,} rows in 5 files → {ingest['out']:,} rows" in text
    assert text.count(" expected {") == 20


def test_the_card_gives_the_verdict_of_the_gates(built: Project) -> None:
    verdict = built.json("reports/gate.json")["verdict"]

    assert f"Verdict of the gates: **{verdict}**." in built.read("reports/card.md")


def test_the_card_names_every_step_to_the_model(built: Project) -> None:
    card = built.read("reports/card.md")

    assert re.search(r"^\| sft \| sft \| base \|", card, re.MULTILINE)
    assert re.search(r"^\| dpo \| dpo \| sft \|", card, re.MULTILINE)
    assert card.startswith("---\nlicense: apache-2.0\n")


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_have_the_contrast_of_wcag_aa(scheme: int) -> None:
    style = (ROOT / "stages/reporting/templates/page/page.css").read_text()
    colours = {n: pair[scheme] for n, *pair in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)}

    def contrast(name: str, ground: str) -> float:
        dark, light = sorted((luminance(colours[name]), luminance(colours[ground])))
        return (light + 0.05) / (dark + 0.05)

    for text in ("ink", "ink-2", "accent", "good", "bad"):
        assert min(contrast(text, ground) for ground in ("paper", "soft")) >= 4.5, text
    assert contrast("ink", "mark") >= 4.5
    for drawn in ("first", "second", "bar", "bad"):
        assert contrast(drawn, "paper") >= 3, drawn
