"""The licence that a model folder declares in its README.md, as the hub has it."""

from pathlib import Path

README = "README.md"


def declared(folder: Path) -> str | None:
    """The `license` of the metadata at the top of README.md, or its `license_name` where that says "other"; of a list,
    all joined with " or ".

    None where there is no README.md, or it declares none.
    """
    from ruamel.yaml import YAML, YAMLError

    try:
        text = (folder / README).read_text("utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    opening, mark, rest = text.partition("---\n")
    metadata, end, _ = rest.partition("\n---")
    if opening.strip() or not mark or not end:
        return None
    try:
        values = YAML(typ="safe").load(metadata)
    except YAMLError:
        return None
    licence = values.get("license") if isinstance(values, dict) else None
    if licence == "other":
        licence = values.get("license_name") or licence
    several = licence if isinstance(licence, list) else [licence]
    return " or ".join(several) or None if all(isinstance(name, str) for name in several) else None
