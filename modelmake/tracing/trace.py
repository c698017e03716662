"""`modelmake trace`: from a model to all that it was made of, and from a row to every model that consumed it."""

import gc
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from modelmake.errors import UserError
from modelmake.tracing import model_report, report_text, row_report
from modelmake.tracing.history import History


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="FILE|FOLDER", help="a model, wherever it lies: known by its bytes")
    parser.add_argument("--row", metavar="TEXT|ID|FILE:LINE", help="a row: which models of any commit consumed it")
    parser.add_argument("--rows", action="store_true", help="every consumed row, not the first of each step alone")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="all facts, for programs")
    form.add_argument("--graph", action="store_true", help="a Mermaid drawing")


def run(arguments: Namespace) -> int:
    if (arguments.model is None) == (arguments.row is None):
        raise UserError("trace: want a model (a file or a folder), or --row TEXT|ID|FILE:LINE; one of them")
    gc.disable()  # hundreds of thousands of small values are made, and none is done with before the end
    root = Path.cwd()
    past = History(root)
    if arguments.row is not None:
        report = row_report.report(root, arguments.row, arguments.here, past, arguments.domain)
        lines = report_text.row_graph(report) if arguments.graph else report_text.row(report)
    else:
        report = model_report.report(root, arguments.here, arguments.model, past, arguments.domain)
        lines = report_text.model_graph(report) if arguments.graph else report_text.model(report, arguments.rows)
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        print("\n".join(lines))
    return 0
