"""What a program reaches: first-party symbols, packages of others, and data files beside the code.

A name leads to the symbol that it is bound to, through imports, attributes of modules and re-exports. A class is one
symbol: which of its methods run is not known before they do. Importing a module runs its side effects. What names do
not tell takes a whole module: one used as a value (`getattr(module, name)`), `globals()`, `eval`, a starred import.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from modelmake import artifacts
from modelmake.keys import symbols
from modelmake.keys.symbols import EFFECTS, MAIN, Module, Symbol


@dataclass
class Reached:
    """What is reached, by module."""

    symbols: dict[str, dict[str, str]] = field(default_factory=dict)  # {module: {symbol: hash}}
    whole: dict[str, str] = field(default_factory=dict)  # {module taken whole: why}
    files: dict[str, str] = field(default_factory=dict)  # {path from the root: MD5}
    imports: dict[str, str] = field(default_factory=dict)  # {module of others: who imports it}


def reach(root: Path, program: str, chosen: Iterable[str], packages: tuple[str, ...]) -> Reached:
    """All that `python -m program` reaches, and `chosen`: modules that it imports by computed names.

    `packages` are the first-party ones, folders of `root`.

    Raises:
        UserError: a module is no Python.
    """
    walk = _Walk(root, packages)
    if walk.load(program, "dvc.yaml"):
        walk.take(program, MAIN)
    for name in chosen:
        walk.take_whole(name, "chosen by params.yaml")
    walk.run()
    return walk.found


class _Walk:
    def __init__(self, root: Path, packages: tuple[str, ...]) -> None:
        self.root, self.packages, self.found = root, packages, Reached()
        self.queue: list[tuple[str, Symbol]] = []
        self.modules: dict[str, Module | None] = {}
        self.asked: set[tuple[str, tuple[str, ...]]] = set()  # names that are being followed
        self.everything = ""

    def run(self) -> None:
        while self.queue:
            name, symbol = self.queue.pop()
            for target in symbol.imports:
                self.load(target, name)
            if symbol.dynamic == symbols.EVERYTHING:
                self.everything = f"{name} {symbol.dynamic}"
            elif symbol.dynamic:
                self.take_whole(name, symbol.dynamic)
            for chain in symbol.names:
                for module, reached in self.find(name, chain, symbol):
                    if reached is None:
                        self.take_whole(module, f"used as a value in {name}")
                    else:
                        self.take(module, reached)
            self.take_files(name, symbol.strings)
            if self.everything and not self.queue:
                for module in list(self.found.symbols):
                    self.take_whole(module, self.everything)

    def module(self, name: str) -> Module | None:
        if name not in self.modules:
            path = self.path(name)
            self.modules[name] = symbols.read(path, name, self.packages) if path else None
        return self.modules[name]

    def path(self, name: str) -> Path | None:
        base = self.root.joinpath(*name.split("."))
        found = (p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file())
        return next(found, None) if self.is_ours(name) else None

    def is_ours(self, name: str) -> bool:
        return name.partition(".")[0] in self.packages

    def load(self, name: str, by: str) -> bool:
        """Imports a module, and those above it; False where it is not first-party or no module."""
        if not self.is_ours(name):
            self.found.imports[name] = min(by, self.found.imports.get(name, by))  # the same in whatever order
            return False
        if (module := self.module(name)) is None:
            return False
        if name not in self.found.symbols:
            self.found.symbols[name] = {}
            self.load(name.rpartition(".")[0] or name, name)
            self.take(name, EFFECTS)
            for target in module.imports:
                self.load(target, name)
            for target in module.starred:
                self.take_whole(target, f"{name} imports every name of it")
            for symbol, found in module.symbols.items():
                if any(self.hooked(name, chain, found) for chain in found.bases):
                    self.take(name, symbol)
        return True

    def take(self, name: str, symbol: str) -> None:
        taken = self.found.symbols[name]
        if symbol not in taken:
            found = self.modules[name].symbols[symbol]
            taken[symbol] = found.hash
            self.queue.append((name, found))

    def take_whole(self, name: str, why: str) -> None:
        if self.load(name, why):
            self.found.whole[name] = min(why, self.found.whole.get(name, why))
            for symbol in self.modules[name].symbols.keys() - {MAIN}:
                self.take(name, symbol)

    def find(self, name: str, chain: tuple[str, ...], symbol: Symbol | None) -> set[tuple[str, str | None]]:
        """The (module, symbol) that a dotted name may mean in a symbol of module `name`; (module, None) is a module."""
        module, places = self.modules[name], set()
        if chain[0] in module.symbols and chain[0] != MAIN:
            places.add((name, chain[0]))
        for dotted in (symbol.aliases.get(chain[0], ()) if symbol else ()) or module.aliases.get(chain[0], ()):
            places |= self.follow(name, [*dotted.split("."), *chain[1:]])
        return places

    def follow(self, by: str, parts: list[str]) -> set[tuple[str, str | None]]:
        target = parts[0]
        if not self.load(target, by):
            return set()
        for i, part in enumerate(parts[1:], start=1):
            rest = (target, tuple(parts[i:]))
            if rest not in self.asked:  # else a package imports a module of its own by name: it is the module
                self.asked.add(rest)
                found = self.find(*rest, None)
                self.asked.remove(rest)
                if found:
                    return found
            if not self.load(f"{target}.{part}", by):
                # bound by the module's side effects, which are taken; or asked of its __getattr__
                return {(target, "__getattr__")} if "__getattr__" in self.modules[target].symbols else set()
            target = f"{target}.{part}"
        return {(target, None)}

    def hooked(self, name: str, chain: tuple[str, ...], symbol: Symbol) -> bool:
        """Whether a class has, or inherits, code that runs when it is subclassed."""
        bases = [(m, self.modules[m].symbols[s]) for m, s in self.find(name, chain, symbol) if s is not None]
        return any(
            base.hooks or any(self.hooked(m, above, base) for above in base.bases - symbol.bases) for m, base in bases
        )

    def take_files(self, name: str, strings: Iterable[str]) -> None:
        """Files of the packages that strings name, from the root or from beside the code; all of a folder of files."""
        beside = self.path(name).parent
        for string in strings:
            words = string.strip("/")
            if not words.strip("./") or len(words) > 200 or not words.isprintable():
                continue
            for named in {os.path.join(self.root, words), os.path.join(beside, words)}:
                if not os.path.exists(named) or os.path.exists(os.path.join(named, "__init__.py")):
                    continue
                path = Path(named)
                if os.path.relpath(path, self.root).split("/")[0] not in self.packages:
                    continue
                for file in [path] if path.is_file() else path.rglob("*"):
                    if file.is_file() and file.suffix not in (".py", ".pyc"):
                        relative = Path(os.path.relpath(file, self.root)).as_posix()
                        self.found.files[relative] = artifacts.md5(file.read_bytes())
