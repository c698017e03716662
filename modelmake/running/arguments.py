"""The arguments of a stage's `main`: paths and names from the command line, parameters as typed from params.yaml."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmake import params, signature
from modelmake.errors import UserError

PARAMS = "params.yaml"


@dataclass(frozen=True)
class Stage:
    """One stage about to run: the arguments of its `main`, and what they were read from."""

    name: str  # as DVC addresses it; the module's name when run by hand
    module: str
    root: Path
    arguments: dict[str, Any]
    sections: dict[str, tuple[str, Any]]  # argument -> its dotted section of params.yaml and its type
    inputs: list[Path]
    outputs: list[Path]
    signature: signature.Signature  # of `main`


def read(main: Callable[..., str], name: str, module: str, root: Path) -> Stage:
    """The stage with its arguments.

    Raises:
        UserError: an input is missing, or parameters are wrong.
    """
    spec = signature.read(main)
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for flag in spec.flags:
        parser.add_argument(f"--{flag}", required=True)
    flags = vars(parser.parse_args())
    names = {n: flags[n] for n in spec.names}
    sections = {a: (signature.section_of(kind, names), kind) for a, kind in spec.sections.items()}
    paths = {n: Path(flags[n]) for n in (*spec.inputs, *spec.outputs)}
    for n in spec.inputs:
        if not paths[n].exists():
            raise UserError(f"{name}: {paths[n]}: no such file or folder: want its input; make it, or `dvc pull` it")
    values = params.load(root / PARAMS)
    typed = {a: params.section(values, dotted, kind, PARAMS) for a, (dotted, kind) in sections.items()}
    return Stage(
        name,
        module,
        root,
        arguments={**paths, **names, **typed},
        sections=sections,
        inputs=[paths[n] for n in spec.inputs],
        outputs=[paths[n] for n in spec.outputs],
        signature=spec,
    )


def values(stage: Stage) -> dict[str, Any]:
    """{dotted section: value} of the sections that a stage takes, as params.yaml has them now."""
    whole = params.load(stage.root / PARAMS)
    values = {}
    for dotted, _ in stage.sections.values():
        value: Any = whole
        for part in dotted.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        values[dotted] = value
    return values
