"""What is where, since when, by whom, and with which figures; by the tags of this clone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelmake.domain import Domain
from modelmake.releasing import checks, contents, registry, tags
from modelmake.releasing.decisions import date
from modelmake.releasing.tags import Artifact, Tag

SHOWN = 6  # figures of a version


def facts(root: Path, domain: Domain, name: str = "") -> dict[str, Any]:
    """{artifact: its stages, versions and what is odd about them}, of one artifact or of all that have tags."""
    folder = registry.project_folder(root)
    prefix = f"{folder.rstrip('/')}:" if folder else ""
    found = tags.artifacts(registry.read(root))
    chosen = {name, f"{prefix}{name}"}
    return {
        artifact.name: {
            "stages": {stage: _stage(artifact, stage) for stage in artifact.stages},
            "versions": {version: _version(root, domain, artifact, version, folder) for version in artifact.versions},
            "notes": [*_notes(root, artifact)],
        }
        for artifact in found.values()
        if not name or artifact.name in chosen
    }


def _stage(artifact: Artifact, stage: str) -> dict[str, Any]:
    """What a stage holds now, and everything that happened to it."""
    current = artifact.current(stage)
    history = [{"version": artifact.version_of(tag.commit), "put": not tag.ends, **_event(tag)}
               for tag in artifact.stages[stage]]  # fmt: skip
    held = {"version": current.version, **_event(current.tag)} if current else None
    return {"now": held, "rollback_gives": artifact.before(stage), "history": history}


def _version(root: Path, domain: Domain, artifact: Artifact, version: str, folder: str) -> dict[str, Any]:
    tag = artifact.versions[version]
    own = artifact.name.rpartition(":")[0] == folder.rstrip("/")  # of this project
    holding = [stage for stage in artifact.stages if (now := artifact.current(stage)) and now.version == version]
    gone = artifact.withdrawn.get(version)
    return {
        "commit": tag.commit, "in": holding, "withdrawn": _event(gone) if gone else None,
        "figures": domain.figures(root, tag.commit) if own else {}, **_event(tag),
    }  # fmt: skip


def _event(tag: Tag) -> dict[str, Any]:
    return {"tag": tag.name, "date": date(tag.timestamp), "by": tag.tagger}


def _notes(root: Path, artifact: Artifact) -> Iterator[str]:
    for version, gone in artifact.withdrawn.items():
        yield f"{version}: withdrawn by {gone.name}; `gto show` goes back to an older one, `dvc artifacts get` does not"
    for stage in artifact.stages:
        current = artifact.current(stage)
        if current and current.version in artifact.withdrawn:
            yield f"{stage}: holds {current.version}, which is withdrawn: roll back, or promote another"
    above = artifact.name.rpartition(":")[0]
    for version, tag in artifact.versions.items():
        if not contents.declares(artifact.name, checks.reader(root, tag.commit, f"{above}/" if above else "")):
            yield f"{version}: dvc.yaml of {tag.commit[:10]} has no artifact {artifact.name.rpartition(':')[2]}"


def text(found: dict[str, Any]) -> list[str]:
    """The facts as lines."""
    lines = []
    for name, artifact in found.items():
        lines.append(name)
        rows = [("stage", "version", "since", "by")]
        for stage, entry in artifact["stages"].items():
            now = entry["now"]
            rows.append((stage, now["version"], now["date"], now["by"]) if now else (stage, "nothing", "", ""))
        lines += _table(rows)
        rows = [("version", "commit", "registered", "in", "figures")]
        for version, entry in artifact["versions"].items():
            figures = [f"{figure} {value:.4g}" for figure, value in entry["figures"].items()]
            more = f", {len(figures) - SHOWN} more" if len(figures) > SHOWN else ""
            where = ", ".join(entry["in"]) or ("withdrawn" if entry["withdrawn"] else "")
            rows.append((version, entry["commit"][:10], entry["date"], where, ", ".join(figures[:SHOWN]) + more))
        lines += [*_table(rows), *(f"  note: {note}" for note in artifact["notes"])]
    return lines or ["no release yet: `modelmake release promote v1.0.0 staging` makes the first"]


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(["", *map(str.ljust, row, widths)]).rstrip() for row in rows]
