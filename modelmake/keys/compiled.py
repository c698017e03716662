"""Functions of which numba keeps the compiled code on disk. It compares that with their own file only."""

from collections.abc import Callable

from modelmake.errors import UserError
from modelmake.keys.symbols import EFFECTS, Module, Symbol

Resolve = Callable[[str, tuple[str, ...], Symbol], set[tuple[str, str | None]]]


def check(name: str, module: Module, resolve: Resolve) -> None:
    """Checks that no such function in a module has anything of another file of the project compiled into it.

    `resolve` finds the (module, symbol) that a dotted name in a symbol refers to.

    Raises:
        UserError: one has: after an edit there, the old code would run.
    """
    kept = {n for n, symbol in module.symbols.items() if symbol.kept_compiled and n != EFFECTS}
    queue = sorted(kept)
    while queue:
        symbol = module.symbols[queue.pop()]
        for chain in sorted(symbol.names):
            for found, target in sorted(resolve(name, chain, symbol), key=str):
                if found != name:
                    raise UserError(
                        f"{name}: numba keeps a compiled function with {'.'.join(chain)} of {found} in it, and sees no "
                        "edit there: define it in this file, or leave out `cache=True`"
                    )
                if target not in kept and target in module.symbols:
                    kept.add(target)
                    queue.append(target)
