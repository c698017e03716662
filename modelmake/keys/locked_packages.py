"""Packages that imports need, at the versions that `uv.lock` resolves."""

import re
import sys
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from modelmake.errors import UserError

FILES = re.compile(r"^(wheels = \[$.*?^\]$|sdist = .*?$)", re.MULTILINE | re.DOTALL)  # of a package in uv.lock
COSMETIC = ("colorama", "pygments", "rich", "tqdm")  # progress bars and colours: left out, with what only they need
# What packages import if it is there, though they do not need it. The harness refuses a stage that loads what is not
# in its key; benchmarks/soft_imports.py lists what the code of packages names.
IF_THERE = {
    "accelerate": ("bitsandbytes", "boto3", "datasets", "pandas", "peft", "transformers"),
    "anyio": ("truststore", "uvloop"),
    "cffi": ("pycparser",),
    "datasets": ("regex", "scipy", "torch", "transformers"),
    "dill": ("numpy",),
    "etils": ("absl-py",),
    "fsspec": ("numpy", "pyarrow"),
    "httpcore2": ("anyio", "h2", "socksio", "trio"),
    "httpx2": ("brotli", "zstandard"),
    "huggingface-hub": ("jinja2", "numpy", "safetensors", "torch"),
    "jsonschema": ("idna", "requests"),
    "mlcroissant": ("packaging",),
    "msgspec": ("typing-extensions",),
    "networkx": ("lxml", "numpy", "pandas", "pydot", "scipy"),
    "numba": ("cffi", "jinja2", "pyyaml", "scipy", "setuptools"),
    "numpy": ("charset-normalizer", "typing-extensions"),
    "pandas": ("jinja2", "pyarrow", "pytz"),
    "peft": ("bitsandbytes", "compressed-tensors", "scipy"),
    "pyarrow": ("cffi", "fsspec", "numpy", "pandas"),
    "rdflib": ("isodate", "lxml", "networkx", "orjson"),
    "requests": ("chardet", "charset-normalizer", "cryptography", "pysocks"),
    "safetensors": ("numpy", "torch"),
    "scipy": ("cffi", "pyyaml"),
    "torch": ("dill", "numpy", "packaging", "pydot", "pyyaml", "scipy"),
    "trafilatura": ("py3langid",),
    "transformers": (
        "accelerate", "bitsandbytes", "compressed-tensors", "datasets", "gguf", "jinja2", "peft", "psutil", "protobuf",
        "scipy", "sentencepiece", "torch", "triton",
    ),
    "trl": ("bitsandbytes", "jmespath", "peft"),
    "typer": ("shellingham",),
    "urllib3": ("brotli", "cryptography", "h2", "zstandard"),
    "xllamacpp": ("gguf", "jinja2", "orjson"),
}  # fmt: skip


def closure(lock: Path, imports: dict[str, str]) -> dict[str, str]:
    """{distribution: version} of everything that `imports` ({module: importer}) need, on any platform.

    Raises:
        UserError: an import is neither standard library nor in `lock`.
    """
    versions, requirements = _parse(lock.read_bytes())
    wanted = []
    for name, importer in sorted(imports.items()):
        if name.partition(".")[0] in (*sys.stdlib_module_names, "__main__"):
            continue
        distribution = _distribution(name, versions)
        if distribution is None and any(longer.startswith(f"{name}.") for longer in imports):
            continue  # a namespace that many distributions share: the longer name decides
        if distribution is None:
            distribution = _installed_as(name, versions)
        if distribution is None:
            raise UserError(f"{importer}: imports {name}, which is not in {lock.name}: `uv add` it")
        wanted.append(distribution)
    return {name: versions[name] for name in sorted(_needed(wanted, requirements, COSMETIC))}


def needed(lock: Path, distributions: Iterable[str]) -> set[str]:
    """The distributions, and all that they need or import if it is there."""
    return _needed(distributions, _parse(lock.read_bytes())[1], ())


def provider(lock: Path, module: str) -> str | None:
    """The distribution in `lock` that an installed module comes from; None if there is none."""
    versions, _ = _parse(lock.read_bytes())
    return _distribution(module, versions) or _installed_as(module, versions)


def _needed(wanted: Iterable[str], requirements: dict[str, list[str]], left_out: Iterable[str]) -> set[str]:
    """The distributions `wanted`, and all that they need or import if it is there."""
    needed: set[str] = set()
    queue = list(wanted)
    while queue:
        name = queue.pop()
        if name in requirements and name not in needed and name not in left_out:
            needed.add(name)
            queue += [*requirements[name], *IF_THERE.get(name, ())]
    return needed


def _distribution(module: str, versions: dict[str, str]) -> str | None:
    """The locked distribution that has the name of a module or of a package around it."""
    candidates = [normalised(".".join(module.split(".")[:n])) for n in range(1, module.count(".") + 2)]
    return next((c for c in candidates if c in versions), None)


def _installed_as(module: str, versions: dict[str, str]) -> str | None:
    """The locked distribution that installed a module under another name: PIL, google.protobuf."""
    paths = ["/".join(module.split(".")[:parts]) for parts in (2, 1) if parts <= module.count(".") + 1]
    return next((c for path in paths for c in _installed(path) if c in versions), None)


@lru_cache(maxsize=64)
def _installed(path: str) -> list[str]:
    """The installed distributions with a module or package at this path, by their lists of files."""
    records = _records(tuple(sys.path))
    prefixes = (f"\n{path}/".encode(), f"\n{path}.".encode())
    similar = [file for file in records if path in file.parent.name.lower()]  # vl_convert_python: read these first
    for files in (similar, records):
        if names := [normalised(file.parent.name.partition("-")[0]) for file in files if _lists(file, prefixes)]:
            return names
    return []


@lru_cache(maxsize=4)
def _records(paths: tuple[str, ...]) -> list[Path]:
    """The lists of files of all installed distributions."""
    return sorted(record for entry in paths for record in Path(entry).glob("*.dist-info/RECORD"))


def _lists(record: Path, prefixes: tuple[bytes, ...]) -> bool:
    content = b"\n" + record.read_bytes()
    return any(prefix in content for prefix in prefixes)


@lru_cache(maxsize=4)
def _parse(lock: bytes) -> tuple[dict[str, str], dict[str, list[str]]]:
    """`uv.lock` as {distribution: version} and {distribution: distributions it needs, extras included}."""
    versions: dict[str, list[str]] = {}
    requirements: dict[str, list[str]] = {}
    without_files = FILES.sub("", lock.decode())  # lists of files are most of the lock, and most of the parsing time
    for package in tomllib.loads(without_files)["package"]:
        name = package["name"]
        versions.setdefault(name, []).append(package.get("version", ""))
        extras = [d for group in package.get("optional-dependencies", {}).values() for d in group]
        requirements.setdefault(name, []).extend(d["name"] for d in [*package.get("dependencies", []), *extras])
    return {name: ",".join(sorted(locked)) for name, locked in versions.items()}, requirements


def normalised(name: str) -> str:
    """The name of a distribution as PEP 503 spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()
