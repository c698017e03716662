"""The `modelmake` command. Its subcommands look at the graph from outside; `dvc` and `snakemake` run it."""

import argparse
import importlib
import os
import sys
from pathlib import Path

from modelmake.domain import Domain
from modelmake.errors import UserError

COMMANDS = {  # name: (module with `arguments(parser)` and `run(arguments) -> exit code`, help)
    "accept": ("modelmake.verifying.accept", "keeps outputs of stages whose code changed, where a probe is the same"),
    "blame": ("stages.commands.blame", "which of the inputs that changed between two builds moved a score"),
    "check": ("stages.commands.check", "what `ingest` and `clean` would do with files before they join the raw data"),
    "compare": ("stages.commands.compare", "two to five builds or experiments side by side: a page, text or JSON"),
    "export": ("stages.commands.export", "a step of training as configuration and rows of another trainer"),
    "gate": ("stages.commands.gate", "whether the build may ship: its gates, and how often their rows were looked at"),
    "init": ("stages.commands.init", "writes `params.yaml`: proposes one for your files, or takes a recipe"),
    "judge": ("stages.commands.judge", "how far people bear out a judge of answers, by the marks that they gave"),
    "plan": ("modelmake.planning.plan", "what `dvc repro` would do, why, and how long that took last time"),
    "release": ("modelmake.releasing.command", "promotes a version, rolls back, lists, and pulls one to any place"),
    "review": ("stages.commands.review", "a page on which people judge two models' answers blind; what they chose"),
    "trace": ("modelmake.tracing.trace", "what a model was made of; which models consumed a row"),
    "twin": ("stages.commands.twin", "whether the chain of steps holds, on a small copy of the base, in a minute"),
    "verify": ("modelmake.verifying.verify", "rehashes every artifact; names what is wrong and how to mend it"),
}  # fmt: skip


def domain() -> Domain:
    """The domain of this project, for the commands of modelmake."""
    return importlib.import_module("stages.commands.domain").DOMAIN


def main() -> None:
    parser = argparse.ArgumentParser("modelmake", description="Looks at a graph of models; run it anywhere inside one.")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, (module, purpose) in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)
        if name in sys.argv[1:2]:  # imports of the others would take time
            loaded = importlib.import_module(module)
            loaded.arguments(command)
            # `here`: the folder in which relative paths of the arguments start
            # `anywhere`: it needs no project
            command.set_defaults(run=loaded.run, here=Path.cwd(), domain=domain(), anywhere=False)
    arguments = parser.parse_args()
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / "dvc.yaml").is_file()), None)
    if root is None and not arguments.anywhere:
        sys.exit(f"{here}: no dvc.yaml here or above: want a clone of a modelmake project; go into one")
    try:
        os.chdir(root or here)
        sys.exit(arguments.run(arguments))
    except UserError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # `modelmake … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
