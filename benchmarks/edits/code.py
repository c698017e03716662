"""Edits of code and templates. A reached function that is rewritten has to run: only that shows if it does the same."""

from benchmarks.edits.edit import Change, Edit, add, both, replace
from tests.conftest import Project


def renamed(path: str, start: str, end: str, old: str, new: str) -> Change:
    """Renames a local between two lines."""

    def change(project: Project) -> None:
        text = project.read(path)
        first = text.index(start)
        last = text.index(end, first)
        assert old in text[first:last]
        project.write(path, text[:first] + text[first:last].replace(old, new) + text[last:])

    return change


read_at_run_time = both(
    replace(
        "stages/reporting/answer_labels.py", '\nNO_LABEL = "(no label)"',
        "from pathlib import Path\n\n"
        'NO_LABEL = Path("stages/reporting/templates/no_label.txt").read_text("utf-8").strip()',
    ),
    add("stages/reporting/templates/no_label.txt", "(no label)\n"),
)  # fmt: skip
NO_LABEL = '\nNO_LABEL = "(no label)"\n'


def labelled(code: str) -> Change:
    """Puts code that binds NO_LABEL in the place of the constant, in a module of `plots` and `report`."""
    return replace("stages/reporting/answer_labels.py", NO_LABEL, f"\n{code}\n")


def relabelled(old: str, new: str) -> Change:
    return replace("stages/reporting/answer_labels.py", old, new)


IN_ORDER = 'LABELS = ["(no label)", "none"]\nNO_LABEL = min(LABELS)\nLABELS.reverse()'


EDITS = {
    "a comment in a stage": Edit(
        replace("stages/clean.py", "class Cleaned(", "# a remark\nclass Cleaned("), (), "comments are no code",
        suite=True,
    ),
    "the docstring of a module that all reach": Edit(
        replace("stages/rows/row.py", '"""The canonical', '"""A canonical'), (), "docstrings are no code", suite=True,
    ),
    "line breaks and brackets": Edit(
        replace("stages/similarity/shingles.py", "return common / (len(a) + len(b) - common)",
                "return (\n        common\n        / (len(a) + len(b) - common)\n    )"),
        (), "formatting is no code",
    ),
    "the name of a local": Edit(
        renamed("stages/pii/money.py", "def _longest(", "def is_card(", "position", "place"), (),
        "nothing else can see it",
    ),
    "a function that nothing calls": Edit(
        add("stages/similarity/shingles.py", "\n\ndef unused(text: str) -> int:\n    return len(text)\n"), (),
        "nothing calls it",
    ),
    "a function that one of two importers calls": Edit(
        replace("stages/rows/texts.py", "change_data = change_data or change",
                "change_data = change if change_data is None else change_data"),
        {"clean"}, "clean changes texts; split imports the module for another function",
    ),
    "a helper two imports away": Edit(
        replace("stages/similarity/shingles.py", "text.lower().split()", "text.casefold().split()"),
        {"dedup", "split", "datasheet"}, "all go through shingles", suite=True,
    ),
    "a constant": Edit(
        replace("stages/reporting/answers_table.py", "MIN_SIMILARITY = 0.3 ", "MIN_SIMILARITY = 0.31 "),
        {"report"}, "the page marks answers by it",
    ),
    "a side effect of an import": Edit(
        replace("stages/similarity/near.py", "\n\nclass SimilarPairs",
                "\n\n__import__('sys').setrecursionlimit(3000)\n\n\nclass SimilarPairs"),
        {"dedup", "split"}, "it happens in every stage that imports the module",
    ),
    "a metric that no suite names": Edit(
        add("stages/evaluating/metrics/final_number.py", "\n\nPAST = 1\n"), (), "no suite selects it",
    ),
    "a method that one step uses": Edit(
        replace("stages/training/methods/dpo.py", "beta=params.beta", "beta=0 + params.beta"), {"train@dpo"},
        "the other step uses sft", suite=True,
    ),
    "a format": Edit(
        replace("stages/reading/formats/alpaca.py", 'fields >= {"instruction", "output"}',
                '{"instruction", "output"} <= fields'),
        {"ingest", "split"}, "every format is asked whether it matches; a golden set may be of any",
    ),
    "the template of the card": Edit(
        replace("stages/reporting/templates/card.md", "## Limits", "## What it is not for"), {"card"},
        "the card is made of it", suite=True,
    ),
    "a prompt": Edit(
        replace("stages/augmenting/prompts/judge.txt", "is it clear", "is it plain"), {"augment"},
        "rows are made by it",
    ),
    "a colour of the page": Edit(
        replace("stages/reporting/templates/page/page.css", "#ffffff", "#fffffe"),
        {"datasheet", "report"}, "both pages are made of it",
    ),
    "the function that an imported name stands for": Edit(
        relabelled("floor as rounded", "ceil as rounded"), {"plots", "report"}, "the same name, another value",
        before=labelled('from math import floor as rounded\n\nNO_LABEL = f"(no label {rounded(0.5)})"'),
    ),
    "the order of two statements": Edit(
        relabelled("NO_LABEL = min(LABELS)\nLABELS.reverse()", "LABELS.reverse()\nNO_LABEL = min(LABELS)"),
        {"plots", "report"}, "the first changes what the second reads", before=labelled(IN_ORDER),
    ),
    "a docstring that code reads": Edit(
        relabelled('"""(no label)"""', '"""(no label at all)"""'), {"plots", "report"}, "here it is data",
        before=labelled('def _none() -> None:\n    """(no label)"""\n\n\nNO_LABEL = _none.__doc__'),
    ),
    "a class that is found as a subclass": Edit(
        relabelled('"(no label)"', '"(no label at all)"'), {"plots", "report"}, "no name leads to it",
        before=labelled(
            'class _Label:\n    pass\n\n\nclass _None(_Label):\n    text = "(no label)"\n\n\n'
            "NO_LABEL = _Label.__subclasses__()[0].text"
        ),
    ),
    "a symbol of a module that a computed import gets": Edit(
        replace("stages/reporting/no_label.py", "(no label)", "(no label at all)"), {"plots", "report"},
        "the module is in the key for another symbol",
        before=both(
            add("stages/reporting/no_label.py", 'TEXT = "(no label)"\nOTHER = 1\n'),
            labelled(
                "import importlib\n\nfrom stages.reporting.no_label import OTHER\n\n"
                'NO_LABEL = getattr(importlib.import_module(f"stages.reporting.{\'no_label\'}"), "TEXT")[: OTHER * 99]'
            ),
        ),
    ),
    "a pure-looking call that changes something": Edit(
        replace("stages/similarity/near.py", "\n\nclass SimilarPairs",
                '\nimport operator\n\n_ = operator.setitem({}, "a", 1)\n\n\nclass SimilarPairs'),
        {"dedup", "split"}, "it happens in every stage that imports the module",
    ),
    "an import that nothing uses": Edit(
        add("stages/similarity/shingles.py", "\nimport decimal\n"), (), "no name of it is read",
    ),
    "a file that code reads": Edit(
        add("stages/reporting/templates/no_label.txt", "at all\n"), {"plots", "report"},
        "a module that both import reads it", before=read_at_run_time,
    ),
}  # fmt: skip
