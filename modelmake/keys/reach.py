"""Everything that a program reaches: first-party symbols, third-party packages, and data files beside the code.

A name leads to the symbol that it is bound to, through imports, attributes of modules and re-exports. A class is one
symbol, because only a run shows which of its methods are called. Importing a module runs its side effects. A module is
taken whole where names do not tell what is used: a module used as a value (`getattr(module, name)`), `globals()`,
`eval`, a starred import.

Of the harness only what decides what a stage sees is reached (`carrying`), unless a stage uses more than its entries.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from modelmake import artifacts
from modelmake.keys import parse_cache, purity, unnamed
from modelmake.keys.carrying import CUT, Cut
from modelmake.keys.symbols import EFFECTS, MAIN, Module, Symbol

MAX_PATH_CHARS = 200  # a longer string in code is not looked up as a path


@dataclass
class Reached:
    """Symbols by module, and the data files and imports of third parties."""

    symbols: dict[str, dict[str, str]] = field(default_factory=dict)  # {module: {symbol: hash}}
    whole: dict[str, str] = field(default_factory=dict)  # {module taken whole: reason}
    files: dict[str, str] = field(default_factory=dict)  # {path from the root: MD5}
    imports: dict[str, str] = field(default_factory=dict)  # {third-party module: importer}


def reach(root: Path, program: str, chosen: Iterable[str], packages: tuple[str, ...], cut: Cut | None = CUT) -> Reached:
    """Everything that `python -m program` reaches, and all of the modules `chosen`, imported by computed names.

    `packages` are the first-party ones, folders of `root`. `cut` says what counts of the harness that runs the program;
    None: all.

    Raises:
        UserError: a module is not Python.
    """
    chosen = list(chosen)
    walk = _Walk(root, packages, *(cut.entered if cut else ()))
    if walk.load(program, "dvc.yaml"):
        walk.take(program, MAIN)
    for name in chosen:
        walk.take_whole(name, "chosen by params.yaml")
    walk.run()
    if cut is None or not walk.stopped:
        return walk.reached
    if not walk.stopped <= {*cut.entered, *cut.entries} or walk.anywhere or walk.reads_texts:
        return reach(root, program, chosen, packages, None)
    return merged(walk.reached, surroundings(root, packages, cut))


def merged(a: Reached, b: Reached) -> Reached:
    """All that two walks over the same code reached."""
    symbols_of = {name: a.symbols.get(name, {}) | b.symbols.get(name, {}) for name in a.symbols | b.symbols}
    whole = {name: min(w[name] for w in (a.whole, b.whole) if name in w) for name in a.whole | b.whole}
    imports = {name: min(i[name] for i in (a.imports, b.imports) if name in i) for name in a.imports | b.imports}
    return Reached(symbols_of, whole, a.files | b.files, imports)


def surroundings(root: Path, packages: tuple[str, ...], cut: Cut) -> Reached:
    """What of the harness decides what a stage sees."""
    walk = _Walk(root, packages, *cut.carrying)
    for dotted in cut.deciding:
        module, _, name = dotted.rpartition(".")
        if walk.load(module, "the harness"):
            walk.take(module, name)
    walk.run()
    return walk.reached


class _Walk:
    """A walk that does not enter the modules and packages `stops`."""

    def __init__(self, root: Path, packages: tuple[str, ...], *stops: str) -> None:
        self.root, self.packages, self.reached = root, packages, Reached()
        self.stops = stops
        self.stopped: set[str] = set()  # what it met of them: modules imported, their symbols, `<module>.*`
        self.queue: list[tuple[str, Symbol]] = []
        self.modules: dict[str, Module | None] = {}
        self.resolving: set[tuple[str, tuple[str, ...]]] = set()  # names being resolved, to end at circular imports
        self.reads_texts = False  # some code reads the text of code
        self.everything = ""  # the reason for taking every loaded module whole
        self.anywhere = False  # that reason holds for what `stops` keeps out, too

    def run(self) -> None:
        while self.queue:
            name, symbol = self.queue.pop()
            for target in symbol.imports:
                self.load(target, name)
            if symbol.everything:
                reason = f"{name} {symbol.everything}"
                self.everything = min(reason, self.everything or reason)
                others = set(self.packages) - {stop.partition(".")[0] for stop in self.stops}
                self.anywhere |= symbol.everything not in {unnamed.of_package(package) for package in others}
            if symbol.lookup:
                self.take_whole(name, symbol.lookup)
            self.reads_texts = self.reads_texts or symbol.reads_texts
            for chain in symbol.names:
                for module, target in self.resolve(name, chain, symbol):
                    if target is None:
                        self.take_whole(module, f"used as a value in {name}")
                    else:
                        self.take(module, target)
            self.take_files(name, symbol.strings)
            if self.everything and not self.queue:
                for module in list(self.reached.symbols):
                    self.take_whole(module, self.everything)
        for name in self.reached.symbols:
            imported = (n for n in self.modules[name].imports if not f"{name}.".startswith(f"{n}."))
            order = [n for n in imported if self.has_effects(n, set())]
            if len(order) > 1:
                self.reached.symbols[name][EFFECTS] = _mixed(self.reached.symbols[name][EFFECTS], *order)
        if self.reads_texts:
            for name, hashes in self.reached.symbols.items():
                hashes.update({s: _mixed(h, self.modules[name].symbols[s].text) for s, h in hashes.items()})

    def module(self, name: str) -> Module | None:
        """A first-party module, parsed; None if there is none of this name."""
        if name not in self.modules:
            path = self.path(name)
            self.modules[name] = parse_cache.read(path, name, self.packages) if path else None
        return self.modules[name]

    def path(self, name: str) -> Path | None:
        """The file that Python imports for a name: a package comes before a module. None for a compiled module."""
        base = self.root.joinpath(*name.split("."))
        if not self.is_first_party(name):
            return None
        if (package := base / "__init__.py").is_file():
            return package
        compiled = any(os.path.exists(f"{base}{suffix}") for suffix in EXTENSION_SUFFIXES)
        return None if compiled or not (module := base.with_suffix(".py")).is_file() else module

    def is_first_party(self, name: str) -> bool:
        return name.partition(".")[0] in self.packages

    def stops_at(self, name: str) -> bool:
        """True for a module that is not entered, and all in its package."""
        return any(name == stop or name.startswith(f"{stop}.") for stop in self.stops)

    def load(self, name: str, importer: str) -> bool:
        """Imports a module and its parents; false if it is third-party or not a module."""
        if not self.is_first_party(name):
            # the least importer, so that the order of the walk does not matter
            self.reached.imports[name] = min(importer, self.reached.imports.get(name, importer))
            return False
        if (module := self.module(name)) is None:
            return False
        if self.stops_at(name):
            self.stopped.add(name)
            return False
        if name not in self.reached.symbols:
            self.reached.symbols[name] = {}
            self.load(name.rpartition(".")[0] or name, name)
            self.take(name, EFFECTS)
            for target in module.imports:
                self.load(target, name)
            for target in module.starred:
                self.take_whole(target, f"{name} imports every name of it")
            for symbol_name, symbol in module.symbols.items():
                if any(self.has_hook(name, chain, symbol) for chain in symbol.bases):
                    self.take(name, symbol_name)
        return True

    def take(self, name: str, symbol_name: str) -> None:
        """Adds a symbol of a loaded module."""
        hashes = self.reached.symbols[name]
        if symbol_name not in hashes:
            symbol = self.modules[name].symbols[symbol_name]
            hashes[symbol_name] = symbol.hash
            self.queue.append((name, symbol))

    def take_whole(self, name: str, reason: str) -> None:
        """Adds every symbol of a module."""
        if reason != self.everything:  # which `anywhere` is about
            self.stopped |= {f"{stop}.*" for stop in self.stops if f"{stop}.".startswith(f"{name}.")}
        if self.load(name, reason):
            self.reached.whole[name] = min(reason, self.reached.whole.get(name, reason))
            for symbol_name in self.modules[name].symbols.keys() - {MAIN}:
                self.take(name, symbol_name)

    def resolve(self, name: str, chain: tuple[str, ...], symbol: Symbol | None) -> set[tuple[str, str | None]]:
        """The (module, symbol) that a dotted name in a symbol of module `name` may refer to; None for the module."""
        module, targets = self.modules[name], set()
        if chain[0] in module.symbols and chain[0] != MAIN:
            targets.add((name, chain[0]))
        for dotted in (symbol.aliases.get(chain[0], ()) if symbol else ()) or module.aliases.get(chain[0], ()):
            targets |= self.follow(name, [*dotted.split("."), *chain[1:]])
        return targets

    def follow(self, importer: str, parts: list[str]) -> set[tuple[str, str | None]]:
        """The targets of an absolute dotted name, whose first parts are modules."""
        target = parts[0]
        if not self.load(target, importer):
            return set()
        for i, part in enumerate(parts[1:], start=1):
            if self.stops_at(f"{target}.{part}"):
                self.stopped.add(".".join(parts) if parts[i + 1 :] else f"{target}.{part}.*")
                return set()
            rest = (target, tuple(parts[i:]))
            if rest not in self.resolving:  # else a package imports its own module by name: the name is the module
                self.resolving.add(rest)
                targets = self.resolve(*rest, None)
                self.resolving.remove(rest)
                if targets:
                    return targets
            if not self.load(f"{target}.{part}", importer):
                # bound by the module's side effects, which are taken anyway, or by its __getattr__
                return {(target, "__getattr__")} if "__getattr__" in self.modules[target].symbols else set()
            target = f"{target}.{part}"
        return {(target, None)}

    def has_effects(self, name: str, visited: set[str]) -> bool:
        """True for a loaded module that does more than bind names, or imports one that does."""
        if name in visited or name not in self.reached.symbols:
            return False
        visited.add(name)
        module = self.modules[name]
        return module.has_effects or any(self.has_effects(n, visited) for n in module.imports)

    def has_hook(self, name: str, chain: tuple[str, ...], symbol: Symbol) -> bool:
        """True if a base class has, or inherits, code that runs when it is subclassed."""
        bases = [(m, self.modules[m].symbols[s]) for m, s in self.resolve(name, chain, symbol) if s is not None]
        return any(
            base.hooks
            or any(self.is_foreign(m, above) or self.has_hook(m, above, base) for above in base.bases - symbol.bases)
            for m, base in bases
        )

    def is_foreign(self, name: str, chain: tuple[str, ...]) -> bool:
        """True for a class of a package that may run code when it is subclassed."""
        origins = {dotted.partition(".")[0] for dotted in self.modules[name].aliases.get(chain[0], ())}
        return bool(origins - purity.PURE - {*self.packages})

    def take_files(self, name: str, strings: Iterable[str]) -> None:
        """Adds files and folders of the packages that strings name, relative to the root or to the module."""
        beside = self.path(name).parent
        for string in strings:
            relative = string.strip("/")
            if not relative.strip("./") or len(relative) > MAX_PATH_CHARS or not relative.isprintable():
                continue
            for candidate in {os.path.join(self.root, relative), os.path.join(beside, relative)}:
                if not os.path.exists(candidate) or os.path.exists(os.path.join(candidate, "__init__.py")):
                    continue
                path = Path(candidate)
                if os.path.relpath(path, self.root).split("/")[0] not in self.packages:
                    continue
                for file in [path] if path.is_file() else path.rglob("*"):
                    if file.is_file() and file.suffix not in (".py", ".pyc"):
                        from_root = Path(os.path.relpath(file, self.root)).as_posix()
                        self.reached.files[from_root] = artifacts.md5(file.read_bytes())


def _mixed(*parts: str) -> str:
    """The hash of a symbol by its own hash and what else counts for it."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
