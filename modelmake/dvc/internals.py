"""DVC's functions (3.67), as modelmake calls them. No other module imports DVC; tests/modelmake/dvc holds the contract.

DVC is imported inside the functions: it takes a third of a second.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from modelmake.errors import UserError


@contextlib.contextmanager
def repo(root: Path) -> Iterator[Any]:
    """DVC's `Repo` at a project's root. It waits for the lock of another DVC process wherever it needs the lock.

    Raises:
        UserError: DVC refuses the project, in DVC's words.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root), _wait_for_lock=True) as opened:
            yield opened
    except DvcException as error:
        raise UserError(str(error)) from error


def locked(repo: Any) -> contextlib.AbstractContextManager[None]:
    """The repository's lock. Without it dvc.lock could be read while another process is writing it."""
    from dvc.repo import lock_repo

    return lock_repo(repo)


def topological(repo: Any) -> list[Any]:
    """Every stage and .dvc file, makers first."""
    import networkx as nx

    return list(nx.dfs_postorder_nodes(repo.index.graph))


def build_order(repo: Any) -> list[Any]:
    """Every stage and .dvc file in the order in which `dvc repro` visits them, frozen ones without what they need."""
    from dvc.repo.reproduce import get_active_graph, plan_repro

    targets = [stage for stage in repo.index.stages if stage.path_in_repo == "dvc.yaml"]
    return plan_repro(get_active_graph(repo.index.graph), targets)


def name_of(stage: Any) -> str:
    """A stage as DVC addresses it from the root: train@sft, other/dvc.yaml:train, data/raw.dvc."""
    name = getattr(stage, "name", None)
    if stage.path_in_repo == "dvc.yaml":
        return name
    return f"{stage.path_in_repo}:{name}" if name else stage.path_in_repo


def params_of(stage: Any) -> list[Any]:
    """The dependencies of a stage on parameters."""
    from dvc.dependency import ParamsDependency

    return [dep for dep in stage.deps if isinstance(dep, ParamsDependency)]


def files_of(stage: Any) -> list[Any]:
    """The dependencies of a stage on files and folders."""
    from dvc.dependency import ParamsDependency

    return [dep for dep in stage.deps if not isinstance(dep, ParamsDependency)]


def is_local(dep: Any) -> bool:
    """True for a dependency on this machine; false for a URL or another repository."""
    from dvc.dependency import RepoDependency

    return not isinstance(dep, RepoDependency) and dep.fs.protocol == "local"


def param_values(repo: Any, path: str, names: Iterable[str] | None) -> dict[str, Any]:
    """{dotted name: value} of a parameter file, names that it lacks left out; the whole file for None."""
    from dvc.dependency.param import read_param_file

    if names is None:
        return read_param_file(repo.fs, path)
    return read_param_file(repo.fs, path, list(names), flatten=True)


def workspace_hashes(repo: Any, path: str) -> dict[str, str]:
    """{relative path: MD5} of a folder in the workspace, {"": MD5} of a file; hashed where DVC's state has no hash."""
    from dvc_data.hashfile.build import build
    from dvc_data.hashfile.tree import Tree

    _, _, content = build(repo.cache.local, path, repo.fs, "md5", ignore=repo.dvcignore, dry_run=True)
    if isinstance(content, Tree):
        return {"/".join(key): value.value for key, _, value in content}
    return {"": content.hash_info.value}


def lock_entry(stage: Any, md5s: dict[str, str], params: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The dvc.lock entry of a stage after a run with these inputs; its outs are those recorded.

    Args:
        md5s: {path of an input as dvc.yaml declares it: MD5}.
        params: {parameter file: its values}.
    """
    from dvc.stage.serialize import to_single_stage_lockfile
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.meta import Meta

    for dep in params_of(stage):
        dep.hash_info = HashInfo(dep.hash_name, params[dep.def_path])
    for dep in files_of(stage):
        executable = os.path.isfile(dep.fs_path) and os.stat(dep.fs_path).st_mode & 0o111
        dep.hash_info, dep.meta = HashInfo("md5", md5s[dep.def_path]), Meta(isexec=bool(executable))
    return to_single_stage_lockfile(stage)


def lock_entry_as_read(stage: Any) -> dict[str, Any]:
    """The dvc.lock entry of a stage with the hashes that it has in memory."""
    from dvc.stage.serialize import to_single_stage_lockfile

    return to_single_stage_lockfile(stage)


def write_lock(stages: Iterable[Any]) -> None:
    """Writes the entries of stages of one dvc.yaml, with the hashes that they have in memory, into its dvc.lock."""
    changed = list(stages)
    if changed:
        changed[0].dvcfile.dump_stages(changed, update_pipeline=False)


def run_cache_key(entry: dict[str, Any]) -> str:
    """The run-cache's key of a dvc.lock entry."""
    from dvc.stage.cache import _get_cache_hash

    return _get_cache_hash(entry, key=True)


def cache_store(root: Path) -> Any:
    """DVC's store of objects on this machine."""
    with repo(root) as opened:
        return opened.cache.local


def remote_store(root: Path, name: str | None) -> tuple[str, Any]:
    """A remote's name and its store of objects; the default remote for None.

    Raises:
        UserError: there is no such remote, or it does not name objects by their hashes.
    """
    with repo(root) as opened:
        return opened.cloud.get_remote(name).name, opened.cloud.get_remote_odb(name, "verify")


def artifact_paths(root: Path) -> dict[str, str]:
    """{name: path} of `artifacts:` in a project's dvc.yaml, templates filled in; no stage is looked at."""
    from dvc.parsing import DataResolver
    from dvc.utils.serialize import load_yaml

    with repo(root) as opened:
        graph = load_yaml(os.path.join(opened.root_dir, "dvc.yaml"))
        resolved = DataResolver(opened, opened.root_dir, graph).resolve_artifacts()
        return {name: artifact["path"] for name, artifact in resolved.items()}


def remotes(root: Path) -> tuple[str | None, dict[str, str]]:
    """The default remote's name, and {name: URL} of every remote in the configuration."""
    with repo(root) as opened:
        urls = {name: remote.get("url", "") for name, remote in opened.config["remote"].items()}
        return opened.config["core"].get("remote"), urls
