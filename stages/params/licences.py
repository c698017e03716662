"""What a few licences ask of what is made of data or models. No lawyer's advice; others are unknown here."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Terms(NamedTuple):
    """What a licence asks. Without any of these it asks for notices at most."""

    non_commercial: bool = False  # forbids commercial use
    no_derivatives: bool = False  # forbids to share what was changed
    share_alike: bool = False  # what is made of it stays under it
    restricted: bool = False  # has rules of use that must be passed on


FREE, SHARED = Terms(), Terms(share_alike=True)
SPDX = {  # {identifier: its terms}
    **dict.fromkeys((
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-3.0", "CC-BY-4.0", "CC0-1.0",
        "CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "ISC", "MIT", "ODC-By-1.0", "PDDL-1.0", "Unlicense",
    ), FREE),
    **dict.fromkeys((
        "AGPL-3.0-only", "AGPL-3.0-or-later", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "GPL-2.0-only", "GPL-2.0-or-later",
        "GPL-3.0-only", "GPL-3.0-or-later", "ODbL-1.0",
    ), SHARED),
    "CC-BY-NC-4.0": Terms(non_commercial=True),
    "CC-BY-NC-SA-4.0": Terms(non_commercial=True, share_alike=True),
    "CC-BY-ND-4.0": Terms(no_derivatives=True),
    "CC-BY-NC-ND-4.0": Terms(non_commercial=True, no_derivatives=True),
}  # fmt: skip
SUCCESSORS = {  # {licence with share-alike: others that it lets what is made of it have}
    "AGPL-3.0-or-later": ("AGPL-3.0-only",),
    "CC-BY-SA-3.0": ("CC-BY-SA-4.0",),
    "GPL-2.0-or-later": ("GPL-2.0-only", "GPL-3.0-only", "GPL-3.0-or-later"),
    "GPL-3.0-or-later": ("GPL-3.0-only",),
}
OF_MODELS = dict.fromkeys((  # as the hub writes them; SPDX has none of these
    "bigscience-bloom-rail-1.0", "bigscience-openrail-m", "creativeml-openrail-m", "gemma", "llama2", "llama3",
    "llama3.1", "llama3.2", "llama3.3", "openrail", "openrail++",
), Terms(restricted=True))  # fmt: skip
HUB = {"agpl-3.0": "AGPL-3.0-only", "gpl-2.0": "GPL-2.0-only", "gpl-3.0": "GPL-3.0-only"}  # names of the hub
_SPELT = {name.lower(): name for name in (*SPDX, *OF_MODELS)} | HUB
KNOWN = SPDX | OF_MODELS


def spelt(licence: str) -> str:
    """A licence as SPDX spells it; one that is not known here as it is."""
    return _SPELT.get(licence.strip().lower(), licence.strip())


def conflicts(data: str | None, base: str | None, release: str | None) -> list[str]:
    """Where the terms of the data or of the base and those of the released weights cannot both hold, a phrase each."""
    if release is None or spelt(release) not in KNOWN:
        return []
    found = []
    for what, licence in (("data", data), ("base", base)):
        if licence is not None and spelt(licence) in KNOWN:
            found += [f"the {what}, {spelt(licence)}, {phrase}" for phrase in _phrases(spelt(licence), spelt(release))]
    return found


def notes(chapters: dict[str, Any]) -> list[str]:
    """Terms of the rows that those of the weights break, a line each. `base` is the first to read those of a base."""
    found = conflicts(chapters["datasheet"].license, None, chapters["card"].license)
    return [f"params.yaml: datasheet.license, card.license: {phrase}" for phrase in found]


def unknown(data: str | None, base: str | None, release: str | None) -> list[str]:
    """What cannot be said, a phrase each: licences that nobody declared, or whose terms are not known here."""
    return [
        f"the licence of the {what} is not declared" if licence is None
        else f"the terms of the {what}'s {licence} are not known here"
        for what, licence in (("data", data), ("base", base), ("release", release))
        if licence is None or spelt(licence) not in KNOWN
    ]  # fmt: skip


def _phrases(source: str, release: str) -> Iterator[str]:
    asked, given = KNOWN[source], KNOWN[release]
    if asked.no_derivatives:
        yield "may not be shared changed; a model that was made of it may be such a change"
    if asked.non_commercial and not given.non_commercial:
        yield f"forbids commercial use; the release, {release}, allows it"
    if asked.share_alike and release not in (source, *SUCCESSORS.get(source, ())):
        yield f"wants what is made of it under the same licence; the release is {release}"
    if asked.restricted and release != source:
        yield f"has rules of use that must be passed on; the release is {release}"
