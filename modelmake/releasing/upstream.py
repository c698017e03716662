"""A project in somebody's git repository, without a clone: its tags, and single files of single commits."""

import configparser
import os
from collections.abc import Callable
from pathlib import Path

from modelmake.dvc import internals, stores
from modelmake.dvc.stores import Store
from modelmake.errors import UserError
from modelmake.releasing import checks, contents, registry, tags
from modelmake.releasing.tags import Artifact, Tag

HEAD = "refs/upstream/head"  # in the copy
RELEASE = "refs/upstream/release"


class Upstream:
    """The repository at an address, and a bare copy of what was asked of it."""

    def __init__(self, address: str, copy: Path) -> None:
        """`copy`: the folder of the copy, which may be there from an earlier, killed pull."""
        self.address, self.copy = address, copy

    def tags(self, artifact: str) -> tuple[Artifact, bool]:
        """(what the tags say of an artifact, whether the repository has a branch that is checked out by default)."""
        asked = ["HEAD", *tags.patterns(artifact)]
        commits: dict[str, str] = {}
        for line in registry.command(Path(), "ls-remote", "--", self.address, *asked).splitlines():
            sha, _, ref = line.partition("\t")
            commits[ref] = sha
        found: list[Tag] = []
        for ref, commit in commits.items():  # `^{}`: the commit of an annotated tag; GTO has no others
            name = ref.removeprefix("refs/tags/")
            if name.endswith("^{}") and (tag := tags.parse(name.removesuffix("^{}"), commit)):
                found.append(tag)
        return tags.artifacts(found).get(artifact) or Artifact(artifact), "HEAD" in commits

    def fetch(self, tag: Tag, has_head: bool) -> None:
        """Brings the commit of a tag and the newest one, with the names of their files but, where the server can leave
        them out, none of the files.
        """
        if not (self.copy / "HEAD").is_file():
            registry.command(Path(), "init", "-q", "--bare", str(self.copy))
        for name, value in {"url": self.address, "promisor": "true", "partialclonefilter": "blob:none"}.items():
            registry.command(self.copy, "config", f"remote.origin.{name}", value)
        refspecs = [f"+refs/tags/{tag.name}:{RELEASE}", *([f"+HEAD:{HEAD}"] if has_head else [])]
        registry.command(self.copy, "fetch", "-q", "--no-tags", "--depth=1", "--filter=blob:none", "origin", *refspecs)
        if registry.command(self.copy, "rev-parse", f"{RELEASE}^{{commit}}").strip() != tag.commit:
            raise UserError(f"{self.address}: {tag.name} was moved just now: want tags that stay; run this again")

    def read(self, ref: str, folder: str) -> Callable[[str], bytes | None]:
        """Reads files of a project in a folder (with a slash), as the commit of a ref has them."""
        return checks.reader(self.copy, ref, folder)

    def store(self, project: Path, folder: str, has_head: bool) -> Store:
        """The default remote of the project, by the newest configuration: an old release may name one that is gone.

        Args:
            project: a new folder, in which DVC finds this configuration and the graph of the release.
            folder: of the project in the repository, with a slash.

        Raises:
            UserError: no remote is configured, or it cannot be reached from here.
        """
        content = self.read(HEAD if has_head else RELEASE, folder)(".dvc/config") or b""
        config = configparser.RawConfigParser(strict=False)
        config.read_string(content.decode("utf-8"))
        overridden = ""
        for section in config.sections():
            url = config.get(section, "url", fallback="").strip("'\"")
            if section.strip("'").startswith("remote ") and url and "://" not in url and not os.path.isabs(url):
                overridden += f'[{section}]\n    url = "{self._beside(url, folder)}"\n'
        contents.write_project(project, self.read(RELEASE, folder), overridden)
        (project / ".dvc/config").write_bytes(content)
        default, _ = internals.remotes(project)
        if default is None:
            raise UserError(f"{self.address}: .dvc/config: no default remote: want one, set by `dvc remote default`")
        return stores.remote(project, default)

    def _beside(self, url: str, folder: str) -> str:
        """Where a remote is that is given relative to the repository.

        Raises:
            UserError: the repository is on another machine.
        """
        repository = self.address.removeprefix("file://")
        if not os.path.isdir(repository):
            raise UserError(
                f"{self.address}: .dvc/config: url = {url}: a folder beside a clone: want a store that can be reached "
                "from here; see docs/remotes.md"
            )
        return os.path.normpath(os.path.join(repository, folder, ".dvc", url))
