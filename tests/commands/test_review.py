"""`modelmake review`: the page does not tell whose answers they are, takes keys alone, and its CSV is read back."""

import argparse
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from modelmake.errors import UserError
from stages.commands import review
from stages.evaluating import scoring
from stages.evaluating.scoring import Answer
from tests.conftest import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
COUNT = 12


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which base answers `old i` and sft `new i`; to the last question both the same."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "stages").symlink_to(ROOT / "stages")
    (tmp_path / "reports/evaluate").mkdir(parents=True)
    for model, word in (("base", "old"), ("sft", "new")):
        given = [Answer(f"id{i}", f"</script>Which {i}?", "", f"{word} {i}", {}) for i in range(COUNT)]
        same = Answer("last", "The same?", "", "same", {})
        scoring.write(tmp_path / f"reports/evaluate/{model}-chat.jsonl", [*given, same])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(project: Path, *words: str) -> None:
    parser = argparse.ArgumentParser()
    review.arguments(parser)
    options = parser.parse_args([*words])
    options.here = project
    assert review.run(options) == 0


@pytest.fixture
def page(project: Path) -> Iterator[Page]:
    """The page of base and sft in a browser; it may log, throw and request nothing."""
    if not CHROMIUM:
        pytest.skip("no Chromium: `apt-get install chromium`")
    run(project, "sft", "base")
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = browser.new_page(viewport={"width": 390, "height": 800})
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.on("request", lambda request: said.append(request.url))
        opened.goto((project / "reviews/base-sft-chat.html").as_uri())
        sit_down(opened, "anna")
        yield opened
        assert {word for word in said if not word.startswith(("data:", "blob:"))} == {opened.url}
        browser.close()


def sit_down(page: Page, name: str) -> None:
    """Starts as a reviewer, by keys alone."""
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def test_the_page_tells_no_model_and_has_no_equal_answers(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(project, "base", "sft", "--pairs", "10")

    text = (project / "reviews/base-sft-chat.html").read_text()
    assert re.search(r"\b(sft|base)\b", text) is None and "The same?" not in text
    assert text.count("Which ") == 12  # title, heading, and 10 pairs
    assert capsys.readouterr().out == (
        "review: 10 pairs of chat: reviews/base-sft-chat.html; CSV files of reviews/base-sft-chat/ are read\n"
    )


def test_choices_by_keys_are_saved_and_read_back(project: Path, page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(COUNT - 1):
        new_is_left = page.locator("#left p").inner_text().startswith("new")
        page.keyboard.press("ArrowLeft" if new_is_left else "ArrowRight")
    page.keyboard.press("n")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("b")
    page.keyboard.press("n")
    page.keyboard.press("ArrowDown")  # changes its mind
    assert page.locator("#place").inner_text() == f"anna · pair {COUNT} of {COUNT} · all judged: press s to save"
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    with page.expect_download() as download:
        page.keyboard.press("s")
    assert download.value.suggested_filename == "anna.csv"
    download.value.save_as(project / "reviews/base-sft-chat/anna.csv")
    capsys.readouterr()

    run(project, "sft", "base")

    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == [
        f"anna: {COUNT} of {COUNT} judged",
        f"sft against base: win rate 0.958 (0.699 to 0.996) of {COUNT} pairs: {COUNT - 1} won, 0 lost, 1 equal",
    ]
    assert len(lines) == 4 and lines[3].startswith("left was chosen ") and lines[3].endswith(f" of {COUNT - 1} times")


def test_choices_outlive_the_page_and_another_reviewer_in_this_browser_starts_with_none(page: Page) -> None:
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    sit_down(page, "ben")
    assert page.locator("#place").inner_text() == f"ben · pair 1 of {COUNT} · 0 judged"
    assert page.locator(".chosen, [aria-pressed=true]").count() == 0
    page.keyboard.press("ArrowLeft")

    page.reload()
    sit_down(page, "anna")
    assert page.locator("#place").inner_text() == f"anna · pair 3 of {COUNT} · 2 judged"


def test_a_name_that_would_not_be_one_of_a_file_is_not_taken(page: Page) -> None:
    page.reload()
    sit_down(page, "a/b")

    assert page.locator("#who").is_visible() and not page.locator("#judging").is_visible()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("Object.keys(localStorage).length") == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["base", "none"], "review: 'none': want one of base, sft, dpo, as evaluate in params.yaml has them"),
        (["base", "sft", "--suite", "none"], "review: 'none': want one of chat, as evaluate in params.yaml has them"),
        (["base", "dpo"], "reports/evaluate/dpo-chat.jsonl: not there yet: run `dvc repro evaluate@dpo-chat`"),
        (["base", "base"], "review: base and base answer chat alike: there is nothing to judge"),
        (["base", "sft", "--pairs", "0"], "review: --pairs 0: want 1 or more"),
        (["base", "sft", "--page", "x"], "review: --page x: want a name that ends in .html"),
    ],
)
def test_what_cannot_be_reviewed_is_told(project: Path, words: list[str], message: str) -> None:
    with pytest.raises(UserError) as error:
        run(project, *words)

    assert str(error.value) == message


def test_a_choice_that_is_none_is_told_with_its_line(project: Path) -> None:
    run(project, "base", "sft")
    (project / "reviews/base-sft-chat/ben.csv").write_text(f"id,verdict\n{'a' * 24},sft\n")

    with pytest.raises(UserError, match=r"ben\.csv:2: verdict 'sft': want left or right or equal, or nothing"):
        run(project, "base", "sft")
