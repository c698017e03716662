"""Names of experiments: DVC keeps each as a commit under refs/exps/<its base, the slash after two digits>/<name>."""

import re
from pathlib import Path

from modelmake import git
from modelmake.errors import UserError

REFS = "refs/exps"
NAMED = re.compile(r"refs/exps/[0-9a-f]{2}/[0-9a-f]{38}/([^/]+)")  # others are stashes and work in progress


def commit_of(root: Path, revision: str) -> str:
    """The hash of the commit that a revision of git or an experiment names; "" where nothing has that name.

    Raises:
        UserError: several commits do.
    """
    refs = {ref: sha for ref, sha in git.refs(root, REFS).items() if (found := NAMED.fullmatch(ref))
            and found[1] == revision}  # fmt: skip
    commits = {*refs.values(), *filter(None, [git.commit_of(root, revision)])}
    if len(commits) > 1:
        raise UserError(
            f"{revision}: {len(commits)} commits have this name, of git or of experiments: want one of "
            f"{', '.join(sorted(sha[:10] for sha in commits))}"
        )
    return commits.pop() if commits else ""
