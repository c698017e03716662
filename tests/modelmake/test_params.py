"""Every problem of params.yaml is one line, all problems are reported at once, and no valid file is refused."""

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmake import params
from modelmake.errors import UserError

FILE = Path("params.yaml")


class Lora(params.Params):
    r: int
    alpha: int

    def problems(self) -> list[str]:
        return [f"alpha = {self.alpha}: want at least r = {self.r}"] if self.alpha < self.r else []


class Sft(params.Params, tag_field="method", tag="sft", rename={"from_": "from"}):
    section: ClassVar[str] = "train.{step}"

    from_: str
    learning_rate: Annotated[float, msgspec.Meta(gt=0)]
    max_length: Annotated[int, msgspec.Meta(ge=1)]
    packing: bool
    over_long: Literal["drop", "error"]
    weights: list[float]
    lora: Lora | None


class Dpo(params.Params, tag_field="method", tag="dpo"):
    section: ClassVar[str] = "train.{step}"

    beta: float


Steps = dict[str, Sft | Dpo]
GOOD = """
train:
  one:
    method: sft
    from: base
    learning_rate: 0.002
    max_length: 256
    packing: false
    over_long: drop
    weights: [1.0, 2.0]
    lora: {r: 8, alpha: 16}
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "params.yaml"
    file.write_text(text)
    value, lines = params.decode(Steps, params.load(file)["train"], "params.yaml: train")
    assert (value is None) <= bool(lines), "nothing decoded, and no problem reported"
    return lines


def test_a_valid_section_becomes_the_struct_that_its_tag_names(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(GOOD + "  two: {method: dpo, beta: 0.1}\n")

    value, lines = params.decode(Steps, params.load(tmp_path / "params.yaml")["train"], "train")

    assert lines == []
    assert value == {
        "one": Sft("base", 0.002, 256, False, "drop", [1.0, 2.0], Lora(8, 16)),
        "two": Dpo(0.1),
    }


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("learning_rate:", "learning_rat:", "learning_rat: unknown key; did you mean learning_rate?"),
        ("learning_rate: 0.002", "learning_rate: '1e-4'",
         "learning_rate = '1e-4': want a number, got text; write 0.0001 without quotes"),
        ("learning_rate: 0.002", "learning_rate: fast", "learning_rate = 'fast': want a number, got text"),
        ("learning_rate: 0.002", "learning_rate: -1", "learning_rate = -1: expected `float` > 0.0"),
        ("learning_rate: 0.002", "learning_rate: .nan", "learning_rate = nan: expected `float` > 0.0"),
        ("learning_rate: 0.002", "learning_rate: .inf", "learning_rate = inf: want a finite number"),
        ("weights: [1.0, 2.0]", "weights: [1.0, .nan]", "weights[1] = nan: want a finite number"),
        ("max_length: 256", "max_length: 0", "max_length = 0: expected `int` >= 1"),
        ("max_length: 256", "max_length: 2.5", "max_length = 2.5: want a whole number, got a number"),
        ("max_length: 256", "max_length: true", "max_length = True: want a whole number, got true/false"),
        ("max_length: 256", "max_length:", "max_length = None: want a whole number, got nothing"),
        ("packing: false", "packing: no", "packing = 'no': want true or false, got text"),  # YAML 1.2: text
        ("over_long: drop", "over_long: dropp", "over_long = 'dropp': want one of drop, error"),
        ("weights: [1.0, 2.0]", "weights: 1.0", "weights = 1.0: want a list, got a number"),
        ("weights: [1.0, 2.0]", "weights: [1.0, x]", "weights[1] = 'x': want a number, got text"),
        ("lora: {r: 8, alpha: 16}", "lora: 8", "lora = 8: want a section of its own, got a whole number"),
        ("lora: {r: 8, alpha: 16}", "lora: {r: 8}", "lora.alpha: missing; give it a value"),
        ("lora: {r: 8, alpha: 16}", "lora: {r: 8, alpha: 4}", "lora.alpha = 4: want at least r = 8"),
        ("method: sft", "method: stf", "method = 'stf': want one of dpo, sft"),
        ("method: sft", "method: [sft]", "method = ['sft']: want one of dpo, sft"),
        ("    method: sft\n", "", "method = None: want one of dpo, sft"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_exact_line(tmp_path: Path, old: str, new: str, line: str) -> None:
    lines = problems(tmp_path, GOOD.replace(old, new))

    missing = [f"params.yaml: train.one.{old.rstrip(':')}: missing; give it a value"] if "unknown key" in line else []
    assert lines == [f"params.yaml: train.one.{line}", *missing]


def test_an_unknown_key_unlike_any_other_gets_the_list_of_keys(tmp_path: Path) -> None:
    lines = problems(tmp_path, "train:\n  two: {method: dpo, beta: 0.1, zzz: 1}\n")

    assert lines == ["params.yaml: train.two.zzz: unknown key; want one of beta"]


def test_null_is_valid_where_a_section_may_be_null(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD.replace("{r: 8, alpha: 16}", "null")) == []


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("0.002", "'x'").replace("256", "-1").replace("r: 8", "r: 8.5").replace("drop", "3")

    lines = problems(tmp_path, text + "  two: {method: dpo}\n")

    fields = [line.removeprefix("params.yaml: train.").split(" ")[0].rstrip(":") for line in lines]
    assert fields == ["one.learning_rate", "one.max_length", "one.over_long", "one.lora.r", "two.beta"]


@pytest.mark.parametrize("number", ["1e-4", "1.0e-4", "0.0001", "1E-4"])
def test_unquoted_exponents_are_numbers_as_in_yaml_1_2(tmp_path: Path, number: str) -> None:
    (tmp_path / "params.yaml").write_text(f"rate: {number}\n")

    assert params.load(tmp_path / "params.yaml") == {"rate": 0.0001}


@pytest.mark.parametrize("name", ["x; touch y", "two words", "a/b", "a.b", "", "é", "../up", "$(id)"])
def test_a_name_with_a_meaning_to_a_shell_is_refused(name: str) -> None:
    _, lines = params.decode(Steps, {name: {"method": "dpo", "beta": 0.1}}, "params.yaml: train")

    assert lines == [f"params.yaml: train: name {name!r}: want only letters, digits and _ ([A-Za-z0-9_]+); rename it"]


@given(st.text(min_size=1))
def test_only_names_of_ascii_letters_digits_and_underscores_are_valid(name: str) -> None:
    _, lines = params.decode(Steps, {name: {"method": "dpo", "beta": 0.1}}, "train")

    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
    assert (lines == []) == (set(name) <= allowed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*Sft.__struct_fields__, "from", "method"]), JSON))
def test_any_content_of_a_section_ends_in_lines_not_in_a_traceback(section: dict[str, Any]) -> None:
    value, lines = params.decode(Sft | Dpo, section, "train.one")

    assert (value is None) == bool(lines)
    assert all(line.startswith("train.one") and "\n" not in line for line in lines)


def load_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> str:
    monkeypatch.chdir(tmp_path)
    FILE.write_bytes(content)
    with pytest.raises(UserError) as error:
        params.load(FILE)
    return str(error.value)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"a: 1\nb: 2\na: 3\n",
         'params.yaml:3: found duplicate key "a" with value "3" (original value: "1"): not valid YAML; mend it'),
        (b"a: 1\nb: [1\n", "params.yaml:3: expected ',' or ']', but got '<stream end>': not valid YAML; mend it"),
        (b"a: *b\n", "params.yaml:1: found undefined alias 'b': not valid YAML; mend it"),
        (b"a: 1\n\xff", "params.yaml: byte 5 is not UTF-8: save the file as UTF-8"),
        (b"", "params.yaml: found nothing, want sections such as `train:`"),
        (b"- 1\n", "params.yaml: found a list, want sections such as `train:`"),
        (b"just text\n", "params.yaml: found text, want sections such as `train:`"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_mapping_in_yaml_is_one_line_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, line: str
) -> None:
    assert load_error(tmp_path, monkeypatch, content) == line


def test_a_control_character_is_broken_yaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_error(tmp_path, monkeypatch, b"a: 1\nb: \x00\n").startswith("params.yaml")


def test_a_missing_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError, match=r"^params\.yaml: no such file: want the project's parameters$"):
        params.load(FILE)


def test_one_section_is_picked_out_by_its_dotted_name() -> None:
    section = params.section({"train": {"two": {"method": "dpo", "beta": 0.1}}}, "train.two", Sft | Dpo, "params.yaml")

    assert section == Dpo(0.1)


def test_a_stage_gets_mappings_in_one_order_whatever_that_of_the_file() -> None:
    values = {"train": {"b": {"y": [{"n": 1, "m": 2}], "x": 1}, "a": {}}}
    kind = dict[str, dict[str, Any]]

    section = params.section(values, "train", kind, "params.yaml")

    assert json.dumps(section) == '{"a": {}, "b": {"x": 1, "y": [{"m": 2, "n": 1}]}}'


@pytest.mark.parametrize("values", [{}, {"train": {}}, {"train": None}, {"train": {"one": {}}}])
def test_a_missing_section_is_reported_by_its_dotted_name(values: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"^params\.yaml: train\.two: missing: want this section$"):
        params.section(values, "train.two", Sft | Dpo, "params.yaml")


def test_the_error_of_a_section_has_a_line_for_each_problem() -> None:
    with pytest.raises(UserError) as error:
        params.section({"lora": {"r": "x", "beta": 1}}, "lora", Lora, "params.yaml")

    assert str(error.value).splitlines() == [
        "params.yaml: lora.beta: unknown key; want one of alpha, r",
        "params.yaml: lora.r = 'x': want a whole number, got text",
        "params.yaml: lora.alpha: missing; give it a value",
    ]


class Method(params.Params):
    name: str

    def modules(self) -> list[str]:
        return [f"stages.training.methods.{self.name}"]


class Tool(params.Params):
    folder: str

    def environments(self) -> list[str]:
        return [self.folder]


def test_the_code_that_values_select_is_that_of_all_sections() -> None:
    values = [Method("sft"), Tool("envs/llama_cpp"), {"two": Method("dpo")}, Method("kto"), "text"]

    assert params.selected_code(values) == (
        ["stages.training.methods.sft", "stages.training.methods.kto"], ["envs/llama_cpp"],
    )  # fmt: skip


class Open(params.Params):
    schema: dict[str, Any] | None
    bound: int | float
    rate: float
    steps: int
    on: bool
    words: dict[str, list[str]]


def test_values_that_dvc_takes_for_one_another_are_told_apart_where_no_type_does() -> None:
    def found(**changes: Any) -> list[Any]:
        plain = {"schema": {"const": 1}, "bound": 1, "rate": 1.0, "steps": 1, "on": True, "words": {"a": ["b"]}}
        return params.undecided([{"item": params.decode(Open, plain | changes, "")[0]}])

    assert found() == []
    assert found(rate=1, steps=2, on=False) == []
    assert found(bound=1.5, schema=None) == []
    different = [{"bound": 1.0}, {"schema": {"const": 1.0}}, {"schema": {"const": True}}, {"schema": {"a": [0, False]}},
                 {"schema": {"a": [False, 0]}}, {"schema": {"const": -0.0}}]  # fmt: skip
    assert len({repr(found(**changes)) for changes in different} - {"[]"}) == len(different)
