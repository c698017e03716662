"""`modelmake trace`: the origin of a model, or every model that consumed a row."""

import gc
import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from modelmake.errors import UserError
from modelmake.tracing import model_report, report_text, row_report
from modelmake.tracing.history import History


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", metavar="FILE|FOLDER", help="a model, anywhere: its bytes identify it")
    parser.add_argument("--row", metavar="TEXT|ID|FILE:LINE", help="a row: which models of any commit consumed it")
    parser.add_argument("--rows", action="store_true", help="every consumed row, not only the first of each step")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="all facts, for programs")
    form.add_argument("--graph", action="store_true", help="a Mermaid drawing")


def run(arguments: Namespace) -> int:
    if (arguments.model is None) == (arguments.row is None):
        raise UserError("trace: want a model (a file or a folder), or --row TEXT|ID|FILE:LINE; one of them")
    gc.disable()  # it would look again and again at hundreds of thousands of values that live to the end
    root = Path.cwd()
    history = History(root)
    if arguments.row is not None:
        report = row_report.report(root, arguments.row, arguments.here, history, arguments.domain)
        lines = report_text.row_graph(report) if arguments.graph else report_text.row(report)
    else:
        report = model_report.report(root, arguments.here, arguments.model, history, arguments.domain)
        lines = report_text.model_graph(report) if arguments.graph else report_text.model(report, arguments.rows)
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        print("\n".join(lines))
    return 0
