"""The CycloneDX document of a release is valid by the published schema, and holds what an ML-BOM is asked for."""

import importlib.resources
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import referencing

from modelmake.errors import UserError
from modelmake.receipts import documents
from stages.commands.domain import DOMAIN
from tests.made_up_history import MadeUpProject
from tests.modelmake.receipts import made_up_release
from tests.modelmake.receipts.made_up_release import TEMPLATE


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> MadeUpProject:
    folder = tmp_path_factory.mktemp("made")
    return made_up_release.two_builds(folder / "project", folder / "scratch")


@pytest.fixture(scope="module")
def bill(project: MadeUpProject, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = made_up_release.release(project, tmp_path_factory.mktemp("released") / "desk")
    return json.loads(documents.of(project.root, folder, "HEAD", DOMAIN)[documents.BILL])


def schema(name: str) -> dict[str, Any]:
    """A published schema, as cyclonedx-python-lib carries it."""
    return json.loads(importlib.resources.files("cyclonedx.schema._res").joinpath(name).read_bytes())


def validator() -> jsonschema.Draft7Validator:
    resources = [
        (f"http://cyclonedx.org/schema/{name}", referencing.Resource.from_contents(schema(name)))
        for name in ("spdx.SNAPSHOT.schema.json", "jsf-0.82.SNAPSHOT.schema.json")
    ]
    registry = referencing.Registry().with_resources(resources)
    return jsonschema.Draft7Validator(
        schema("bom-1.6.SNAPSHOT.schema.json"), registry=registry, format_checker=jsonschema.FormatChecker()
    )


def values(properties: list[dict[str, str]]) -> dict[str, str]:
    return {entry["name"].removeprefix("modelmake:"): entry["value"] for entry in properties}


def test_it_is_valid_by_the_published_schema(bill: dict[str, Any]) -> None:
    assert [error.message for error in validator().iter_errors(bill)] == []
    broken = bill | {"components": [bill["components"][0] | {"type": "no such type"}]}
    assert [error.validator for error in validator().iter_errors(broken)] == ["enum"], "the schema is looked at"


def test_its_model_card_has_task_data_metrics_gates_and_template(bill: dict[str, Any]) -> None:
    card = bill["metadata"]["component"]["modelCard"]

    assert card["modelParameters"] == {
        "task": "text-generation", "architectureFamily": "llama",
        "datasets": [{"ref": "data:data/raw"}], "inputs": [{"format": "text"}], "outputs": [{"format": "text"}],
    }  # fmt: skip
    assert card["quantitativeAnalysis"]["performanceMetrics"] == [
        {"type": "exact_match", "value": "0.5", "slice": "suite chat, model sft",
         "confidenceInterval": {"lowerBound": "0.4", "upperBound": "0.6"}},
        {"type": "parity", "value": "ALLOW", "slice": "file Q8_0"},
        {"type": "exact_match", "value": "0.25", "slice": "file Q8_0"},
    ]  # fmt: skip
    told = values(card["properties"])
    assert told["chat_template model.gguf tokenizer.chat_template"] == TEMPLATE
    assert (told["gates"], told["gate sft_answers"]) == ("ALLOW", "ALLOW")
    assert told["parameter merge@sft train.sft.learning_rate"] == "0.002"


def test_gates_of_other_models_are_not_those_of_the_files(project: MadeUpProject, tmp_path: Path) -> None:
    folder = made_up_release.take(project, "models/base", tmp_path / "base")
    bill = json.loads(documents.of(project.root, folder, "HEAD", DOMAIN)[documents.BILL])

    told = values(bill["metadata"]["component"]["modelCard"]["properties"])
    assert {name: value for name, value in told.items() if name.startswith("gate")} == {"gates": "none looks at it"}


def test_licences_of_data_base_and_release_are_there_with_their_conflicts(bill: dict[str, Any]) -> None:
    model, components = bill["metadata"]["component"], {c["bom-ref"]: c for c in bill["components"]}

    assert model["licenses"] == [{"license": {"id": "MIT"}}]
    assert components["data:data/raw"]["licenses"] == [{"license": {"id": "CC-BY-SA-4.0"}}]
    assert components["base"]["licenses"] == [{"license": {"name": "llama3.1"}}]
    told = values(model["properties"])
    assert told["licence conflict 1"].startswith("the data, CC-BY-SA-4.0, wants what is made of it under the same")
    assert told["licence conflict 2"].startswith("the base, llama3.1, has rules of use that must be passed on")


def test_files_packages_and_the_time_of_the_commit_are_there(bill: dict[str, Any], project: MadeUpProject) -> None:
    model = bill["metadata"]["component"]

    assert [component["name"] for component in model["components"]] == ["README.md", "model.gguf"]
    assert [entry["alg"] for entry in model["components"][1]["hashes"]] == ["MD5", "SHA-256"]
    assert bill["metadata"]["timestamp"] == "2023-11-14T22:15:20Z", "of the second made-up commit"
    assert "pkg:pypi/torch@2.13.0%2Bcpu" in bill["dependencies"][0]["dependsOn"]
    assert {"base", "data:data/raw"} <= set(bill["dependencies"][0]["dependsOn"])
    told = values(model["properties"])
    assert told["commit"] == project.git("rev-parse", "HEAD")
    assert told["packages of envs/"] == "not listed; keys of stages name the hashes of their locks"


def test_reports_that_are_not_here_are_asked_for(project: MadeUpProject, tmp_path: Path) -> None:
    folder = made_up_release.release(project, tmp_path / "desk")
    outs = {out["path"]: out["md5"] for out in project.stages["compare"]["outs"]}
    report = project.cached(outs["reports/comparison.json"])
    content = report.read_bytes()
    report.unlink()
    try:
        with pytest.raises(UserError, match=r"^reports/comparison.json: not here: want the reports of the build"):
            documents.of(project.root, folder, "HEAD", DOMAIN)
    finally:
        report.write_bytes(content)
