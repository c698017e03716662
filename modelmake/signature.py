"""The interface of a stage, read from the annotations of its `main`: inputs, outputs, names, parameter sections.

    def main(rows: In, cleaned: Out, step: str, params: Step) -> str

| annotation | meaning |
|---|---|
| `In`, `Out` | a flag with a path that `dvc.yaml` declares as dep or out |
| `str` | a flag with a name that `foreach` or `matrix` fills in |
| a `Params` struct | the section of `params.yaml` that its `section` names (`train.{step}`) |
| a dict of such structs | the section above it (`train`) |
| a `NamedTuple` | a group: each of its fields is an argument like those above |
| `Checkpoints` | a folder that the next run with the same command, inputs and parameters gets if this one is killed |
| `Memo` | a folder that later runs with the same code, packages and parameters get, whatever their inputs |
| `Archive` | a folder that all later runs of the stage get |
| `Measured` | {input: its hashes, a modelmake.artifacts.Artifact}: what the harness measured anyway |
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

In = Annotated[Path, "in"]
Out = Annotated[Path, "out"]
Checkpoints = Annotated[Path, "checkpoints"]
Memo = Annotated[Path, "memo"]
Archive = Annotated[Path, "archive"]
Measured = Annotated[dict[str, Any], "measured"]


@dataclass(frozen=True)
class Signature:
    """The arguments of a `main` by kind. Fields of groups are listed like arguments."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    names: tuple[str, ...]
    folders: dict[str, str]  # argument -> `checkpoints`, `memo` or `archive`
    measured: tuple[str, ...]  # arguments that want the hashes of inputs
    sections: dict[str, Any]  # argument -> struct, union of structs, or dict of them
    groups: dict[str, type]  # argument -> NamedTuple

    @property
    def flags(self) -> tuple[str, ...]:
        """The arguments that come from the command line."""
        return (*self.inputs, *self.outputs, *self.names)

    def grouped(self, values: dict[str, Any]) -> dict[str, Any]:
        """The arguments to call `main` with: values of a group's fields become its NamedTuple."""
        arguments = dict(values)
        for argument, kind in self.groups.items():
            arguments[argument] = kind(**{field: arguments.pop(field) for field in kind._fields})
        return arguments


def read(main: Callable[..., str]) -> Signature:
    """The signature of a stage's `main`."""
    parameters = {name: p.annotation for name, p in inspect.signature(main).parameters.items()}
    groups = {name: kind for name, kind in parameters.items() if hasattr(kind, "_fields")}
    inputs, outputs, names, measured, folders, sections = [], [], [], [], {}, {}
    for name, kind in _flat(parameters):
        if kind == In:
            inputs.append(name)
        elif kind == Out:
            outputs.append(name)
        elif kind in (Checkpoints, Memo, Archive):
            folders[name] = kind.__metadata__[0]
        elif kind == Measured:
            measured.append(name)
        elif kind is str:
            names.append(name)
        else:
            sections[name] = kind
    return Signature(tuple(inputs), tuple(outputs), tuple(names), folders, tuple(measured), sections, groups)


def _flat(parameters: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, kind in parameters.items():
        if hasattr(kind, "_fields"):
            yield from get_type_hints(kind, include_extras=True).items()
        else:
            yield name, kind


def section_of(kind: Any, names: dict[str, str]) -> str:
    """The dotted section of `params.yaml` for an annotation, with its names filled in."""
    if get_origin(kind) is dict:
        return _section(get_args(kind)[1]).partition(".")[0]
    return _section(kind).format(**names)


def _section(kind: Any) -> str:
    return (get_args(kind)[0] if get_args(kind) else kind).section
