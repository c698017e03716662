"""The page shows what is in the files of a build of any shape; the same files give the same bytes."""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.conftest import ROOT, Project
from tests.made_up_build import SHAPES, Build, answer


class Text(HTMLParser):
    """The visible text of a page, with one space between elements."""

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
    """The visible text of the page of an unchanged hand-written build."""
    return visible_text(Build(tmp_path_factory.mktemp("plain")))


def visible_text(build: Build, shape: str | None = None) -> str:
    """The visible text of the page of a build, which gets a shape before."""
    if shape:
        SHAPES[shape](build)
    return str(Text(build.render().read_text("utf-8")))


def test_the_verdict_comes_first_with_every_gate_in_a_sentence(text: str) -> None:
    assert text.index("✓ ALLOW The gate holds") < re.search(r"The build \d+ stages", text).start()
    assert "exact_match of sft is 0.995, at least 0.800 is wanted. By these 387 rows it is 0.980 to 1.000." in text
    assert "They can show 0.070 beyond the bound, with 80 % certainty." in text


def test_the_error_budget_is_told(text: str) -> None:
    assert "at most 5 % get an ALLOW, as long as not more than 20 builds look at these rows" in text
    assert "each look spends 0.25 % of this error budget" in text


def test_rejects_come_first_and_unmeasured_ones_say_so(build: Build) -> None:
    text = visible_text(build, "failing")

    assert "✗ REJECT 2 of 3 gates do not hold for certain" in text
    assert "label_accuracy of dpo was not measured." in text
    assert text.index("✗ REJECT dpo is compact") < text.index("✓ ALLOW sft answers")


def test_a_gate_that_is_not_settled_says_what_would_settle_it(build: Build) -> None:
    open_gate = {"verdict": "INCONCLUSIVE", "value": 0.81, "low": 0.75, "high": 0.86, "more_rows": 1200}
    build.gates["sft_answers"] |= open_gate

    text = visible_text(build)
    assert "? INCONCLUSIVE 1 of 1 gate does not hold for certain" in text
    assert "0.750 to 0.860." in text and "1,200 more rows would settle it, if it stays so." in text

    build.gates["sft_answers"] |= {"more_rows": None, "smallest_effect": None}
    text = visible_text(build)
    assert "They can show no value above the bound. No number of rows would settle it." in text


def test_a_gain_in_a_slice_names_the_slice_the_groups_and_its_sign(build: Build) -> None:
    part = {"against": "base", "where": {"intent": "refund", "urgency": "low"}, "value": -0.01, "wanted": -0.02}
    build.gates["sft_answers"] |= part | {"groups": 200}

    text = visible_text(build)
    assert "exact_match: the gain of sft on base where intent = refund and urgency = low is −0.010" in text
    assert "at least −0.020 is wanted. By these 387 rows of 200 groups" in text


def test_a_gate_on_a_metric_whose_lower_values_are_better_has_an_upper_bound(build: Build) -> None:
    lower = {"metric": "text.bits_per_byte", "value": 2.1, "limit": "at most", "wanted": 2.2, "low": 2.0, "high": 2.15}
    build.gates["sft_answers"] |= lower

    text = visible_text(build)
    assert "text.bits_per_byte of sft is 2.100, at most 2.200 is wanted. By these 387 rows it is 2.000 to 2.150" in text


def test_a_gate_on_too_few_rows_says_how_many_are_wanted(build: Build) -> None:
    build.gates["sft_answers"] |= {"verdict": "INCONCLUSIVE", "rows": 8, "groups": 8, "more_rows": 92}

    assert "At least 100 rows are wanted." in visible_text(build)


def test_without_gates_the_verdict_is_reject(build: Build) -> None:
    assert "✗ REJECT No gates are declared, so nothing is proven" in visible_text(build, "missing")


def test_what_nobody_declared_is_not_made_up(build: Build) -> None:
    text = visible_text(build, "undeclared")

    assert text.index("support-desk-tiny") < text.index("✓ ALLOW The gate holds")
    assert "What the model is for is not declared." in text


def test_every_stage_shows_what_it_read_and_wrote(text: str) -> None:
    assert "ingest 5,300 rows in 1 file → 5,208 rows 92 dropped" in text
    assert "split 5,208 rows → 5,000 train, 200 val, 8 test none dropped" in text
    assert "augment 40 rows → 33 rows 7 dropped" in text
    assert "mix 5,300 rows → 5,309 rows to train on none dropped" in text
    assert "base rows to pretrain on → 1,234,567 parameters 20 steps, loss 2 → 0.5; 0.75 on held-out rows" in text
    assert "train@sft 5,000 chat rows → 2 kB 20 steps, loss 2 → 0.5; 0.75 on held-out rows" in text
    assert "merge@dpo 2 kB + 2 kB → 2 kB" in text
    assert "evaluate@dpo-chat 8 questions → exact_match 0.750" in text
    assert "quantize@Q8_0 2 kB → 500 B" in text
    assert "parity@Q8_0 8 questions → 8 answered as the model does exact_match 0.750 → 0.750" in text


def test_predictions_prompts_and_tensors_of_quantized_files_are_shown(text: str) -> None:
    assert (
        "Q8_0 1,200 0.00024 0.0057 99.20 % 0.0003 1.25 → 1.251 1 not those of training; 2 not in NFC, which llama.cpp "
        "has to be asked in; tools: changed 15 Q8_0, 5 F32"
    ) in text


def test_the_funnel_shows_every_reason_most_rows_first_and_the_files_with_the_rows(text: str) -> None:
    assert "92 of 5,300 raw rows and 33 generated ones were dropped, each with its reason" in text
    assert text.index("repeated ingest 80") < text.index("broken json ingest 12")
    assert "data/ingested/rejected.jsonl" in text


def test_rows_that_training_dropped_are_counted_once_in_the_headline_with_their_reason_and_step(build: Build) -> None:
    text = visible_text(build, "too_long")

    assert "raw rows 5,300 2,142 dropped, each with its reason; 2,050 of them by training: sft dropped 41 %" in text
    assert "dpo dropped 50 % of its rows" in text
    assert "in 3 runs from the base model; sft saw 2,950 of 5,000 rows; dpo saw 150 of 300 rows" in text
    assert "2,142 of 5,300 raw rows and 33 generated ones were dropped, each with its reason" in text
    assert "over long train@sft 2,050 over long train@dpo 150" in text
    assert "over_long in reports/train/sft.json" in text
    assert "train@sft 2,950 of 5,000 chat rows → 2 kB 20 steps" in text
    assert "SFT from base, 2,950 chat rows" in text


def test_fields_that_nothing_read_and_conflicting_rows_are_told(build: Build, text: str) -> None:
    assert "in no row" not in text and "do not say the same" not in text
    build.unread = {"rows.jsonl": {f"note_{n}": {"records": n, "example": "x"} for n in range(1, 7)}}
    build.dedup["conflicting"] = 12

    text = visible_text(build)
    assert "6 fields of the raw files are in no row: note_1 of rows.jsonl (1 record), note_2 of rows.jsonl" in text
    assert "note_5 of rows.jsonl (5 records), …. Map or ignore" in text
    assert "12 rows ask nearly what another row asks, and do not say the same" in text


def test_what_a_step_was_trained_on_is_what_it_consumed(build: Build) -> None:
    SHAPES["too_long"](build)
    build.epochs = 0
    assert "sft chat 5,000 2,050 – 2,950 0 0.0 % dpo pair 300 150 – 150 0 0.0 %" in visible_text(build)
    build.epochs = 2
    text = visible_text(build)
    assert "sft chat 5,000 2,050 – – 2,950 59.0 %" in text
    assert "more chat 5,000 – 10 – 5,000 100.0 %" in text


def test_rows_of_a_kind_that_no_step_is_trained_on_are_told(build: Build, text: str) -> None:
    assert "No step was trained on" not in text
    build.judged_rows = 7

    assert "No step was trained on the 7 judged rows of the mix." in visible_text(build)


def test_tokens_of_each_step_are_shown_and_what_its_template_leaves_out(build: Build) -> None:
    SHAPES["too_long"](build)
    build.omitted = {"tools": 7}

    text = visible_text(build)
    assert "sft 90,000 30,000 33.3 % 300 256 41.0 % 200 dpo" in text
    build.val_over_long = 0.125
    assert "sft 90,000 30,000 33.3 % 300 256 41.0 % 200 12.5 % too long dpo" in visible_text(build)
    assert "sft was not shown tools of 7 rows: its chat template leaves it out, as train.sft.omit allows." in text


def test_the_mix_is_shown_by_source_and_compared_with_its_targets(text: str) -> None:
    assert "chat desk 4,000 4,000 0.800 1 chat general 1,000 1,000 0.200 1" in text
    assert "chat: general 0.200, within 0.1 to 0.3 chat: multi turn 0.050, below 0.1 to 0.5" in text


def test_a_share_that_nobody_declared_is_not_a_number(build: Build) -> None:
    build.shares["synthetic"] = {"share": 0.0, "unknown": 1.0, "target": None, "verdict": None}
    assert "chat: synthetic not declared of 1.000 chat:" in visible_text(build)
    build.shares["synthetic"] = {"share": 0.25, "unknown": 0.5, "target": [0.0, 0.5], "verdict": "unknown"}
    assert "synthetic 0.250, and not declared of 0.500, not known to be 0.0 to 0.5" in visible_text(build)


def test_a_difference_is_clear_only_if_its_interval_does_not_contain_0(build: Build) -> None:
    text = visible_text(build, "missing")

    assert "base 0.500 0.450 to 0.550 the baseline" in text
    assert "sft 0.500 0.450 to 0.550 no clear difference −0.100 to +0.100" in text
    assert "dpo 0.400 0.350 to 0.450 ▼ −0.100 worse −0.150 to −0.050" in text
    assert "compact higher is better base not measured – sft 1.000" in text


@pytest.mark.parametrize("shape", SHAPES)
def test_the_page_of_any_shape_of_build_refers_to_no_address(build: Build, shape: str) -> None:
    SHAPES[shape](build)
    html = build.render().read_text("utf-8")
    markup = re.sub(r"<(script|style).*?</\1>", "", html, flags=re.DOTALL)

    addresses = re.findall(r"<[^>]* (?:src|href|srcset|action|poster|data)=\"([^\"]*)\"", markup)
    assert {address for address in addresses if not address.startswith("#")} == {"data:,"}
    assert not re.search(r"@import|url\(", (ROOT / "stages/reporting/templates/page/page.css").read_text())


def test_a_dialogue_is_shown_whole_and_of_a_long_one_its_beginning_and_end_stand_first(build: Build) -> None:
    dialogue = "tools: f\n\nuser: first\n\nassistant: call f({})\n\ntool f: z\n\nuser: last"
    build.answers = [answer("a", "x", False, dialogue), answer("b", "x", True, "begin " + "word " * 400 + "end?")]

    text = visible_text(build)
    assert "tools: f user: first assistant: call f({}) tool f: z user: last" in text
    assert re.search(r"begin (word )+\[…\] (word )+end\? The whole prompt, 2,010 characters begin (word )+end\?", text)


def test_text_of_rows_is_escaped(build: Build) -> None:
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


def test_hashes_are_in_the_lock_and_the_command_finds_the_commit_in_a_clone(project: Project, tmp_path: Path) -> None:
    text = str(Text(project.read("reports/index.html")))
    lock = project.read("dvc.lock")
    for command in (["add", "dvc.lock"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "the build"]):
        subprocess.run(["git", *command], cwd=project.path, check=True)
    subprocess.run(["git", "clone", "-q", project.path, tmp_path / "clone"], check=True)

    md5s = re.findall(r"(?:models/\S+) \S+@?\S* [\d.]+ [kMG]?B ([0-9a-f]{32}(?:\.dir)?)", text)
    assert len(md5s) == 6 and all(md5 in lock for md5 in md5s)
    command = re.search(r"git log --all --oneline -S[0-9a-f]{32}\.dir -- dvc\.lock", text)[0]
    log = subprocess.run(command, shell=True, cwd=tmp_path / "clone", capture_output=True, text=True, check=True)
    assert log.stdout.splitlines()[-1].endswith("the build")


def test_the_page_of_a_real_build_shows_verdict_and_counts(built: Project) -> None:
    text = str(Text(built.read("reports/index.html")))
    verdict, ingest = built.json("reports/gate.json")["verdict"], built.json("reports/data/ingest.json")

    assert f"{dict(ALLOW='✓', REJECT='✗', INCONCLUSIVE='?')[verdict]} {verdict}" in text
    assert f"ingest {ingest['in']:,} rows in 5 files → {ingest['out']:,} rows" in text
    assert text.count(" expected {") == 20


def test_the_card_has_the_verdict_of_the_gates(built: Project) -> None:
    verdict = built.json("reports/gate.json")["verdict"]

    assert f"Verdict of the gates: **{verdict}**." in built.read("reports/card.md")


def test_the_card_names_every_step_to_the_model(built: Project) -> None:
    card = built.read("reports/card.md")

    assert re.search(r"^\| sft \| sft \| base \|", card, re.MULTILINE)
    assert re.search(r"^\| dpo \| dpo \| sft \|", card, re.MULTILINE)
    assert card.startswith("---\nlicense: apache-2.0\n")
