"""The page in headless Chromium: it renders without errors and requests, at every width and in both colour schemes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.conftest import Project
from tests.made_up_build import SHAPES, Build
from tests.reporting import headings
from tests.reporting.conftest import DRAWN


@pytest.fixture(scope="session")
def file(built: Project) -> Path:
    return built.path / "reports/index.html"


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 768, 390])
def test_a_real_build_at_every_width_in_both_schemes(
    open_page: Callable[..., Page], file: Path, width: int, scheme: str
) -> None:
    page = open_page(file, width, scheme)

    assert overflow(page) == 0
    assert page.locator(".panels .chart svg path").count() > 6, "curves are drawn"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(16, 20, 24)")


@pytest.mark.parametrize("shape", SHAPES)
def test_any_shape_of_build_fits_a_phone(open_page: Callable[..., Page], tmp_path: Path, shape: str) -> None:
    build = Build(tmp_path)
    SHAPES[shape](build)
    page = open_page(build.render(), 390)
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")

    assert overflow(page) == 0
    assert "run" not in page.title().split(": ")[-1], "nothing that a row says has run"


def test_the_search_filters_while_typing_and_shows_how_many_match(open_page: Callable[..., Page], file: Path) -> None:
    page = open_page(file)
    first = page.locator("article h3").first.inner_text()
    word = max(first.split(), key=len).strip(".,?!").lower()

    page.keyboard.press("/")
    page.keyboard.type(word)

    visible = page.locator("article:visible")
    assert 0 < visible.count() < 20
    assert all(word in text.lower() for text in visible.all_inner_texts())
    assert page.locator("output").inner_text() == f"{visible.count()} of 20 shown"
    page.keyboard.type(" nothing has this")
    assert page.locator("article:visible").count() == 0
    page.get_by_role("button", name="Show all").click()
    assert page.locator("article:visible").count() == 20
    assert page.locator("#search").evaluate("node => node === document.activeElement")


def test_answers_can_be_filtered_to_the_wrong_ones(open_page: Callable[..., Page], tmp_path: Path) -> None:
    page = open_page(Build(tmp_path).render())

    page.get_by_label("dpo wrong").check()

    assert page.locator("article:visible h3").all_inner_texts() == ["question 00", "question 04"]
    assert page.locator("article:visible").first.locator(".wrong").count() == 1


def test_the_keyboard_reaches_the_contents_the_stages_and_the_search(
    open_page: Callable[..., Page], file: Path
) -> None:
    page = open_page(file)
    stages = page.locator(".graph > li").count()
    reached = []
    for _ in range(150):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("""() => { const node = document.activeElement;
          const stage = node.matches("summary") && node.closest(".graph > li");
          return node.id || (stage ? stage.id : node.className || node.getAttribute("href") || node.tagName); }""")
        )
        if reached[-1] == "stage-1":
            page.keyboard.press("Enter")
            assert page.locator("#stage-1 dl").is_visible()
            page.keyboard.press("Enter")
        if reached[-1] == f"stage-{stages}":
            break

    assert reached[0] == "skip"
    assert [name for name in reached if name.startswith("stage-")] == [f"stage-{n}" for n in range(1, stages + 1)]
    assert reached.index("#lineage") < reached.index("search") < reached.index("stage-1")


def test_regressions_are_searched_apart_from_answers(open_page: Callable[..., Page], tmp_path: Path) -> None:
    build = Build(tmp_path)
    SHAPES["examined"](build)
    page = open_page(build.render())
    lost, answers = page.locator("#regressions article:visible"), page.locator("#answers article:visible")
    assert (lost.count(), answers.count()) == (3, 8)

    page.locator("#regressions h2").scroll_into_view_if_needed()
    page.keyboard.press("/")
    page.keyboard.type("desk.jsonl:2")
    assert (lost.count(), answers.count()) == (1, 8)
    assert page.locator("#regressions output").inner_text() == "1 of 3 shown"
    lost.locator("summary").first.click()
    assert lost.locator(".near").count() == 2 and "desk.jsonl:17" in lost.locator(".near").first.inner_text()

    page.locator("#answers h2").evaluate("node => node.scrollIntoView()")
    page.locator("#answers h2").click()
    page.keyboard.press("/")
    page.keyboard.type("question 03")
    assert (lost.count(), answers.count()) == (1, 1)


def test_on_a_phone_the_contents_show_the_chapter_that_is_read(open_page: Callable[..., Page], file: Path) -> None:
    page = open_page(file, 390)
    page.locator("#lineage").evaluate("node => node.scrollIntoView()")
    page.wait_for_function("document.querySelector('nav [aria-current]').hash === '#lineage'")

    box = page.locator("nav [aria-current]").bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390


def test_a_link_to_a_stage_opens_it(open_page: Callable[..., Page], file: Path) -> None:
    page = open_page(file)

    page.locator("#lineage a", has_text="merge@sft").first.click()

    assert page.locator(".graph > li:target details").evaluate("node => node.open")
    assert page.locator(".graph > li:target .name").inner_text() == "merge@sft"


def test_losses_can_be_read_at_a_step_and_on_a_logarithmic_scale(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = open_page(Build(tmp_path).render())
    chart = page.locator(".panels .chart").first
    labels = chart.locator("text").all_inner_texts()

    page.get_by_label("logarithmic scale").check()
    page.wait_for_function(DRAWN)

    assert chart.locator("text").all_inner_texts() != labels
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 30, box["y"] + 60)
    tooltip = page.locator("#vg-tooltip-element")
    tooltip.wait_for(state="visible")
    assert tooltip.inner_text().split() == ["step", "20", "training", "0.5", "held-out", "0.75"]


def test_without_scripts_every_answer_and_number_is_there(open_page: Callable[..., Page], file: Path) -> None:
    page = open_page(file, scripts=False)

    assert page.locator("article:visible").count() == 20
    assert page.locator("form:visible, .command button:visible, .scale:visible").count() == 0
    assert page.locator("noscript").inner_text().startswith("The curves need JavaScript")
    page.locator(".panels details summary").first.click()
    assert page.locator(".panels td:visible").count() > 0


def test_headings_are_in_order_and_every_column_has_its_header(open_page: Callable[..., Page], file: Path) -> None:
    headings.check(open_page(file))
