"""The licence of a base is what its README.md declares; where it declares none, that is said."""

from pathlib import Path

import pytest

from stages.reading import model_licence


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("---\nlicense: apache-2.0\ntags: [text]\n---\n# A model\n", "apache-2.0"),
        ("---\nlicense: other\nlicense_name: our-terms\n---\n", "our-terms"),
        ("---\nlicense: other\n---\n", "other"),
        ("---\nlicense: [mit, apache-2.0]\n---\n", "mit or apache-2.0"),
        ("---\nlicense: [mit]\n---\n", "mit"),
        ("---\nlicense: []\n---\n", None),
        ("---\nlicense: [mit, 2]\n---\n", None),
        ("---\nlanguage: en\n---\nlicense: mit\n", None),
        ("# A model\nlicense: mit\n", None),
        ("---\nlicense: [mit\n---\n", None),
        ("---\nlicense: mit\n", None),
    ],
)
def test_the_metadata_of_the_readme_declare_it(tmp_path: Path, text: str, licence: str | None) -> None:
    (tmp_path / "README.md").write_text(text)

    assert model_licence.declared(tmp_path) == licence


def test_a_folder_without_a_readme_declares_none(tmp_path: Path) -> None:
    assert model_licence.declared(tmp_path) is None
