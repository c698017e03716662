"""What headings and tables of a page must be for those who hear it."""

import itertools

from playwright.sync_api import Page


def check(page: Page) -> None:
    """Checks that headings are in order, columns have headers, and links of the navigation lead to chapters."""
    levels = [int(tag[1]) for tag in page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(n => n.tagName)")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.locator("thead th:not([scope=col]), tbody th:not([scope])").count() == 0
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(n => n.id)")
    assert len(ids) == len({*ids})
    chapters = page.evaluate("[...document.querySelectorAll('nav[aria-label=Chapters] a')].map(n => n.hash.slice(1))")
    assert len(chapters) > 1 and {*chapters} <= {*ids}
