"""Cache of parsed modules, in the per-machine state folder. Parsing would take half of the harness's time.

Entries are addressed by the hash of all that a module was parsed from. The file is sealed with the source of the parser
modules and the version of Python: a cache that is damaged, or was written by other code, counts as empty.
"""

import contextlib
import hashlib
import os
import sys
from pathlib import Path

import msgspec

from modelmake.keys import bytecode, imports, order, purity, quoted, symbols, unnamed
from modelmake.keys.symbols import Module
from modelmake.running import state_dir

FILE = "parsed"  # in the state folder
PARSERS = (__file__, *(module.__file__ for module in (bytecode, imports, order, purity, quoted, symbols, unnamed)))
SEAL_BYTES = 32

_modules: dict[str, Module] = {}  # by digest
_read: set[str] = set()  # digests of the modules that this process asked for


def read(path: Path, name: str, packages: tuple[str, ...]) -> Module:
    """The module `name` in the file `path`, parsed unless the cache has it; `packages` are the first-party ones.

    Raises:
        UserError: the file is not Python.
    """
    source = path.read_bytes()
    digest = hashlib.sha256(f"{name} {path.name} {packages} ".encode() + source).hexdigest()
    if digest not in _modules:
        with symbols.syntax_errors(path):
            _modules[digest] = symbols.parse(source, name, path.name == "__init__.py", packages)
    _read.add(digest)
    return _modules[digest]


def load(root: Path) -> None:
    """Reads the cache of the project at `root`."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        stored = _file(root).read_bytes()
        seal, content = stored[:SEAL_BYTES], stored[SEAL_BYTES:]
        if _seal(content) == seal:
            _modules.update(msgspec.msgpack.decode(content, type=dict[str, Module]))


def save(root: Path) -> None:
    """Writes the modules that this process read, and no others. A full disk is no error: the next process parses."""
    content = msgspec.msgpack.encode({digest: _modules[digest] for digest in sorted(_read)})
    file = _file(root)
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            partial.write_bytes(_seal(content) + content)
            os.replace(partial, file)
        finally:
            partial.unlink(missing_ok=True)


def _file(root: Path) -> Path:
    return state_dir.folder(root) / FILE


def _seal(content: bytes) -> bytes:
    parsers = b"".join(Path(module).read_bytes() for module in PARSERS)
    return hashlib.sha256(sys.version.encode() + parsers + content).digest()
