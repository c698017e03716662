"""A small project in the working folder, and a step of it exported."""

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from stages.commands import export, init
from tests.conftest import ROOT
from tests.tiny_models import build_model
from tests.twinning import made_up


def project(folder: Path, recipe: str = "default", repo: str = "", **sections: Any) -> None:
    """params.yaml of a recipe, the model that its steps start from, and rows; the step's own rows are the last ones."""
    values = init.values(ROOT / f"recipes/{recipe}.yaml", ROOT / "recipes/default.yaml") | sections
    if not repo and values["base"]["kind"] == "hub":
        repo = json.loads((ROOT / values["base"]["source"]).read_text())["repo"]
    if repo:
        (folder / "pin.json").write_text(json.dumps({"repo": repo, "revision": "0" * 40}))
        values["base"] = {"kind": "hub", "source": "pin.json", "chat_template": None}
    (folder / "params.yaml").write_text(json.dumps(values))
    made_up.write(folder / "data/mixed")
    made_up.write(folder / "data/splits/val")
    for start in {step["from"] for step in values["train"].values()}:
        if not (folder / "models" / start).exists():
            build_model(folder / "models" / start)


def run(folder: Path, step: str, to: str, *accept: str) -> Path:
    """The folder that the command wrote."""
    target = folder / f"{step}-{to}"
    shutil.rmtree(target, ignore_errors=True)
    given = argparse.Namespace(step=step, to=to, folder=target, accept=list(accept), here=folder)
    assert export.run(given) == 0
    return target
