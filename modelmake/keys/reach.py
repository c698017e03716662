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
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from modelmake import artifacts
from modelmake.errors import UserError
from modelmake.keys import compiled, named_files, parse_cache, purity, unnamed
from modelmake.keys.carrying import CUT, Cut
from modelmake.keys.reached import Reached, merged
from modelmake.keys.symbols import EFFECTS, MAIN, Module, Symbol


def reach(root: Path, program: str, chosen: Iterable[str], packages: tuple[str, ...], cut: Cut | None = CUT) -> Reached:
    """Everything that `python -m program` reaches, and all of the modules `chosen`, imported by computed names.

    `packages` are the first-party ones, folders of `root`. `cut` says what counts of the harness that runs the program;
    None: all.

    Raises:
        UserError: a module is not Python, or in a folder that is no package; or numba would keep old code.
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
        self.hooked: dict[str, set[str]] = {}  # by module, classes that run code of others when they are defined
        self.modules: dict[str, Module | None] = {}
        self.resolving: set[tuple[str, tuple[str, ...]]] = set()  # names being resolved, to end at circular imports
        self.values: set[str] = set()  # modules used as values
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
                self.take_names(name, [(alias,) for alias in self.modules[name].aliases], None)
            self.reads_texts = self.reads_texts or symbol.reads_texts
            self.reached.installed |= symbol.installed
            self.take_names(name, symbol.names, symbol)
            self.take_texts(name, symbol.strings)
            self.take_files(name, symbol.strings)
            for module in list(self.reached.symbols) if not self.queue else ():
                package, _, own = module.rpartition(".")
                if any(module.startswith(f"{value}.") for value in self.values):  # as attributes
                    self.take_whole(module, "in a package that is used as a value")
                if own in self.reached.symbols.get(package, ()):  # which of the two it is depends on what ran before
                    self.take_whole(module, f"a name of {package}, too")
                if self.everything:
                    self.take_whole(module, self.everything)
        for name in list(self.reached.symbols):
            compiled.check(name, self.modules[name], self.resolve)
            imported = (n for n in self.modules[name].imports if not f"{name}.".startswith(f"{n}."))
            order = [n for n in imported if self.has_effects(n, set())]
            order += self.effects(name) if self.hooked.get(name) else []
            if len(order) > 1:
                self.reached.symbols[name][EFFECTS] = _mixed(self.reached.symbols[name][EFFECTS], *order)
        if self.reads_texts:
            self.reached.texts = True
            for name, hashes in self.reached.symbols.items():
                texts = {s: symbol.text for s, symbol in self.modules[name].symbols.items() if s in hashes}
                hashes.update({s: _mixed(hashes[s], text) for s, text in texts.items()})

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
        if (module := base.with_suffix(".py")).is_file() and not compiled:
            return module
        if next(base.glob("*.py"), None):
            raise UserError(f"{base}: holds modules and no __init__.py: want one, as no key covers them without it")
        return None

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
            resolving, self.resolving = self.resolving, set()  # what leads here does not decide what has a hook
            self.hooked[name] = {n for n, symbol in module.symbols.items() if self.has_hook(name, symbol, set())}
            self.resolving = resolving
            for symbol_name in self.hooked[name]:
                self.take(name, symbol_name)
        return True

    def take(self, name: str, symbol_name: str) -> None:
        """Adds a symbol of a loaded module."""
        hashes = self.reached.symbols[name]
        if symbol_name not in hashes:
            symbol = self.modules[name].symbols[symbol_name]
            hashes[symbol_name] = symbol.hash
            self.queue.append((name, symbol))

    def take_names(self, name: str, chains: Iterable[tuple[str, ...]], symbol: Symbol | None) -> None:
        """Adds what dotted names in a symbol of a module stand for; all of a module that is used as a value."""
        for chain in chains:
            for module, target in self.resolve(name, chain, symbol):
                if target is None:
                    self.values.add(module)
                    self.take_whole(module, f"used as a value in {name}")
                else:
                    self.take(module, target)

    def take_texts(self, name: str, strings: Iterable[str]) -> None:
        """Adds the symbols whose full names are texts, for libraries that look them up. Modules are not meant."""
        for string in strings:
            if not string.partition(".")[0].endswith(self.packages):
                continue
            parts = string.rpartition("//")[2].replace(":", ".").split(".")  # `ext://stages.leaf.f`, `stages.leaf:f`
            if parts[0] in self.packages and all(map(str.isidentifier, parts)) and not self.path(".".join(parts)):
                for found, symbol_name in self.follow(name, parts):
                    if symbol_name is not None:
                        self.take(found, symbol_name)

    def take_whole(self, name: str, reason: str) -> None:
        """Adds every symbol of a module."""
        if reason != self.everything:  # which `anywhere` is about
            self.stopped |= {f"{stop}.*" for stop in self.stops if f"{stop}.".startswith(f"{name}.")}
        if self.load(name, reason):
            self.reached.whole[name] = min(reason, self.reached.whole.get(name, reason))
            module = self.modules[name]
            for symbol_name in module.symbols.keys() - {MAIN}:
                self.take(name, symbol_name)
            named = {chain[0] for symbol in module.symbols.values() for chain in symbol.names}
            # what it only imports is an attribute of it, too
            for alias in module.aliases.keys() - named if reason != self.everything else ():
                for found, target in self.resolve(name, (alias,), None):
                    if target is not None:
                        self.take(found, target)

    def resolve(self, name: str, chain: tuple[str, ...], symbol: Symbol | None) -> set[tuple[str, str | None]]:
        """The (module, symbol) that a dotted name in a symbol of module `name` may refer to; None for the module."""
        module, targets = self.modules[name], set()
        if chain[0] in module.symbols and chain[0] != MAIN:
            targets.add((name, chain[0]))
        inner = symbol.aliases.get(chain[0], frozenset()) if symbol else frozenset()
        outer = module.aliases.get(chain[0], frozenset())
        for dotted in inner | outer:
            targets |= self.follow(name, [*dotted.split("."), *chain[1:]])
        if outer - {f"{name}.{chain[0]}"} and symbol is None:  # another module takes from this one what it imports
            self.reached.symbols[name][f"import {chain[0]}"] = ", ".join(sorted(outer))
        for starred in module.starred if not targets else ():
            way = (name, ("*", starred))
            if way not in self.resolving:  # else a package takes all of its own module, which is looked for in it
                self.resolving.add(way)
                targets |= self.follow(name, [*starred.split("."), *chain])
                self.resolving.remove(way)
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
            if part == "__dict__":
                break
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
        return bool(self.effects(name)) or any(self.has_effects(n, visited) for n in module.imports)

    def effects(self, name: str) -> list[str]:
        """The side effects of importing a module, in order: classes with hooks by their names."""
        return [n for n in self.modules[name].sequence if n == EFFECTS or n in self.hooked.get(name, ())]

    def has_hook(self, name: str, symbol: Symbol, visited: set[tuple[str, str]]) -> bool:
        """True if the definition of a class runs, or may run, code of a class that it inherits from."""
        if (name, symbol.hash) in visited:
            return False
        visited.add((name, symbol.hash))
        aliases = self.modules[name].aliases
        for chain in symbol.bases:
            bases = self.resolve(name, chain, symbol)
            own = {*aliases.get(chain[0], [""])} if chain[0] not in purity.NAMES else set()
            if not bases and any(not dotted or self.is_first_party(dotted) for dotted in own):
                return True  # bound by side effects
            for module, base in bases:
                above = self.modules[module].symbols.get(base or "")
                if base is None or above.hooks or self.has_hook(module, above, visited):
                    return True
        return False

    def take_files(self, name: str, strings: Iterable[str]) -> None:
        """Adds files of the packages that strings name. Code that is named is read, not run."""
        for file in named_files.find(self.root, self.path(name).parent, strings, self.packages):
            if file.suffix == ".py":
                self.reads_texts = True
            if file.suffix != ".pyc":
                from_root = Path(os.path.relpath(file, self.root)).as_posix()
                self.reached.files[from_root] = artifacts.md5(file.read_bytes())


def _mixed(*parts: str) -> str:
    """The hash of a symbol by its own hash and what else counts for it."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
