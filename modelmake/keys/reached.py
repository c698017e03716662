"""What a walk over code reached."""

from dataclasses import dataclass, field


@dataclass
class Reached:
    """Symbols by module, and the data files and imports of third parties."""

    symbols: dict[str, dict[str, str]] = field(default_factory=dict)  # {module: {symbol: hash}}
    whole: dict[str, str] = field(default_factory=dict)  # {module taken whole: reason}
    files: dict[str, str] = field(default_factory=dict)  # {path from the root: MD5}
    imports: dict[str, str] = field(default_factory=dict)  # {third-party module: importer}
    installed: set[str] = field(default_factory=set)  # packages that code asks about, `*`: any
    texts: bool = False  # the hashes of symbols are of their texts, too


def merged(a: Reached, b: Reached) -> Reached:
    """All that two walks over the same code reached."""
    symbols_of = {name: a.symbols.get(name, {}) | b.symbols.get(name, {}) for name in a.symbols | b.symbols}
    whole = {name: min(w[name] for w in (a.whole, b.whole) if name in w) for name in a.whole | b.whole}
    imports = {name: min(i[name] for i in (a.imports, b.imports) if name in i) for name in a.imports | b.imports}
    return Reached(symbols_of, whole, a.files | b.files, imports, a.installed | b.installed, a.texts and b.texts)
