"""A stage's `main` says what the stage is: inputs, outputs, parameter sections and names, by annotation.

    def main(rows: In, cleaned: Out, step: str, params: Step) -> str

`In` and `Out` are the flags with paths that `dvc.yaml` declares as deps and outs, `str` a name that `foreach`
or `matrix` fills in, a `Params` struct the section that its `section` names (`train.{step}`), a dict of such
structs the section above it (`train`). `Checkpoints` is no flag: a folder that outlives a run that is killed, for the
next one that is built from the very same. Nor is `Memo`: a folder for what later runs of the same code, packages and
parameters may take from this one, whatever their inputs; nor `Archive`: one for what all later runs of the stage may
take from this one, whatever has changed.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

In = Annotated[Path, "in"]
Out = Annotated[Path, "out"]
Checkpoints = Annotated[Path, "checkpoints"]
Memo = Annotated[Path, "memo"]
Archive = Annotated[Path, "archive"]


@dataclass(frozen=True)
class Signature:
    """What a `main` takes, by name."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    names: tuple[str, ...]
    folders: dict[str, str]  # argument -> `checkpoints`, `memo` or `archive`
    sections: dict[str, Any]  # argument -> struct, union of structs, or dict of them

    @property
    def flags(self) -> tuple[str, ...]:
        return (*self.inputs, *self.outputs, *self.names)


def read(main: Callable[..., str]) -> Signature:
    """The signature of a stage's `main`."""
    inputs, outputs, names, folders, sections = [], [], [], {}, {}
    for name, parameter in inspect.signature(main).parameters.items():
        kind = parameter.annotation
        if kind == In:
            inputs.append(name)
        elif kind == Out:
            outputs.append(name)
        elif kind in (Checkpoints, Memo, Archive):
            folders[name] = kind.__metadata__[0]
        elif kind is str:
            names.append(name)
        else:
            sections[name] = kind
    return Signature(tuple(inputs), tuple(outputs), tuple(names), folders, sections)


def section_of(kind: Any, names: dict[str, str]) -> str:
    """The dotted section of `params.yaml` that an annotation stands for, its names filled in."""
    if get_origin(kind) is dict:
        return _section(get_args(kind)[1]).partition(".")[0]
    return _section(kind).format(**names)


def _section(kind: Any) -> str:
    return (get_args(kind)[0] if get_args(kind) else kind).section
