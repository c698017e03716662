"""The page of builds side by side in headless Chromium: every width, both schemes, by keys, and without scripts."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from stages.commands import compare
from stages.commands.compare_builds import Build
from tests.conftest import ROOT
from tests.made_up_comparison import Releases, releases
from tests.reporting import headings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    return releases(tmp_path_factory.mktemp("side") / "project")


def write(made: Releases, *names: str) -> Path:
    """The page of builds, as the command writes it."""
    with contextlib.chdir(ROOT):
        builds = [Build(made.root, revision) for revision in compare.read(made.root, [*names])]
        file = made.root / f".dvc/{'-'.join(names)}.html"
        compare.write(file, compare.page(builds, *compare.lay_out(made.root, builds)))
    return file


@pytest.fixture(scope="module")
def file(made: Releases) -> Path:
    return write(made, "v1", "v2", "r8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 768, 390])
def test_it_fits_every_width_in_both_schemes(
    open_page: Callable[..., Page], file: Path, width: int, scheme: str
) -> None:
    page = open_page(file, width, scheme)

    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert page.locator(".panels .chart svg path").count() > 2, "curves are drawn"


def test_five_builds_with_long_names_fit_a_phone_and_a_desk(open_page: Callable[..., Page], made: Releases) -> None:
    names = ["v1", "v2", "r8"]
    for n in range(2):
        names.append(f"a_release_of_a_very_long_branch_name_number_{n}")
        made.project.git("branch", "-f", names[-1], "v1")
    file = write(made, *names)
    for width in (390, 1440):
        page = open_page(file, width)
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_on_a_phone_each_figure_says_whose_it_is(open_page: Callable[..., Page], file: Path) -> None:
    page = open_page(file, 390)
    cell = page.locator("#scores tbody td").nth(4)

    assert cell.evaluate("node => getComputedStyle(node, '::before').content") == '"v2"'
    assert page.locator("#scores thead").evaluate("node => getComputedStyle(node).position") == "absolute"


def test_lost_and_won_answers_are_chosen_by_clicks_and_keys(open_page: Callable[..., Page], file: Path) -> None:
    page = open_page(file)
    shown = page.locator("article:visible h3")
    assert shown.count() == 5

    page.get_by_label("v2 lost").check()
    assert shown.all_inner_texts() == ["Where is parcel 3?", "Where is parcel 5?"]
    page.get_by_label("r8 won").check()
    assert shown.all_inner_texts() == [f"Where is parcel {n}?" for n in (16, 17, 18)]
    page.keyboard.press("/")
    page.keyboard.type("parcel 17")
    assert shown.all_inner_texts() == ["Where is parcel 17?"]
    page.keyboard.type("9")
    assert page.locator(".nothing").is_visible()
    page.get_by_role("button", name="Show all").click()
    assert shown.count() == 5


def test_the_keyboard_goes_through_the_contents_to_the_search(open_page: Callable[..., Page], file: Path) -> None:
    page = open_page(file)
    reached = []
    while "search" not in reached and len(reached) < 40:
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("""() => { const node = document.activeElement;
          return node.id || node.className || node.getAttribute("href") || node.tagName; }""")
        )

    assert reached[0] == "skip"
    assert reached[1:11] == [f"#{name}" for name in compare.CHAPTERS]
    assert reached[-1] == "search"


def test_a_curve_of_each_build_can_be_read_on_a_logarithmic_scale(open_page: Callable[..., Page], file: Path) -> None:
    page = open_page(file)
    labels = page.locator(".panels .chart text").all_text_contents()

    page.get_by_label("logarithmic scale").check()
    page.wait_for_function(
        """labels => [...document.querySelectorAll('.panels .chart text')].map(n => n.textContent).join() !== labels""",
        arg=",".join(labels),
    )

    keys = page.locator(".legend .key")
    assert keys.all_inner_texts() == ["v1", "v2", "r8"]
    assert len({*keys.evaluate_all("nodes => nodes.map(n => getComputedStyle(n, '::before').borderTopColor)")}) == 3


def test_without_scripts_every_figure_and_answer_is_there(open_page: Callable[..., Page], file: Path) -> None:
    page = open_page(file, scripts=False)

    assert page.locator("article:visible").count() == 5
    assert page.locator("form:visible, .scale:visible").count() == 0
    assert page.locator("noscript").inner_text().startswith("The curves need JavaScript")


def test_on_paper_nothing_is_cut(open_page: Callable[..., Page], file: Path) -> None:
    page = open_page(file)
    page.emulate_media(media="print")

    assert page.locator("nav").is_hidden() and page.locator(".search").is_hidden()
    assert page.locator("article:visible").count() == 5
    assert page.evaluate("[...document.querySelectorAll('.scroll')].every(n => n.scrollWidth <= n.clientWidth + 1)")


def test_headings_are_in_order_and_every_column_has_its_header(open_page: Callable[..., Page], file: Path) -> None:
    headings.check(open_page(file))
