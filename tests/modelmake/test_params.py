"""Every problem of params.yaml is told in one line of its own, all of them at once, and nothing right is refused."""

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
    value, found = params.decode(Steps, params.load(file)["train"], "params.yaml: train")
    assert (value is None) <= bool(found), "nothing decoded, and no problem told"
    return found


def test_a_right_section_becomes_the_struct_that_its_tag_names(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(GOOD + "  two: {method: dpo, beta: 0.1}\n")

    found, told = params.decode(Steps, params.load(tmp_path / "params.yaml")["train"], "train")

    assert told == []
    assert found == {
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
def test_a_wrong_value_is_told_in_one_exact_line(tmp_path: Path, old: str, new: str, line: str) -> None:
    told = problems(tmp_path, GOOD.replace(old, new))

    missing = [f"params.yaml: train.one.{old.rstrip(':')}: missing; give it a value"] if "unknown key" in line else []
    assert told == [f"params.yaml: train.one.{line}", *missing]


def test_a_key_like_no_other_is_told_which_keys_there_are(tmp_path: Path) -> None:
    told = problems(tmp_path, "train:\n  two: {method: dpo, beta: 0.1, zzz: 1}\n")

    assert told == ["params.yaml: train.two.zzz: unknown key; want one of beta"]


def test_null_is_taken_where_a_section_may_be_null(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD.replace("{r: 8, alpha: 16}", "null")) == []


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("0.002", "'x'").replace("256", "-1").replace("r: 8", "r: 8.5").replace("drop", "3")

    told = problems(tmp_path, text + "  two: {method: dpo}\n")

    fields = [line.removeprefix("params.yaml: train.").split(" ")[0].rstrip(":") for line in told]
    assert fields == ["one.learning_rate", "one.max_length", "one.over_long", "one.lora.r", "two.beta"]


@pytest.mark.parametrize("number", ["1e-4", "1.0e-4", "0.0001", "1E-4"])
def test_unquoted_exponents_are_numbers_as_in_yaml_1_2(tmp_path: Path, number: str) -> None:
    (tmp_path / "params.yaml").write_text(f"rate: {number}\n")

    assert params.load(tmp_path / "params.yaml") == {"rate": 0.0001}


@pytest.mark.parametrize("name", ["x; touch y", "two words", "a/b", "a.b", "", "é", "../up", "$(id)"])
def test_a_name_that_a_shell_could_read_otherwise_is_refused(name: str) -> None:
    _, told = params.decode(Steps, {name: {"method": "dpo", "beta": 0.1}}, "params.yaml: train")

    assert told == [f"params.yaml: train: name {name!r}: want only letters, digits and _ ([A-Za-z0-9_]+); rename it"]


@given(st.text(min_size=1))
def test_only_names_of_ascii_letters_digits_and_underscores_pass(name: str) -> None:
    _, told = params.decode(Steps, {name: {"method": "dpo", "beta": 0.1}}, "train")

    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
    assert (told == []) == (set(name) <= allowed)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*Sft.__struct_fields__, "from", "method"]), JSON))
def test_whatever_stands_in_a_section_ends_in_lines_not_in_a_traceback(section: dict[str, Any]) -> None:
    value, told = params.decode(Sft | Dpo, section, "train.one")

    assert (value is None) == bool(told)
    assert all(line.startswith("train.one") and "\n" not in line for line in told)


def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> str:
    monkeypatch.chdir(tmp_path)
    FILE.write_bytes(content)
    with pytest.raises(UserError) as told:
        params.load(FILE)
    return str(told.value)


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"a: 1\nb: 2\na: 3\n",
         'params.yaml:3: found duplicate key "a" with value "3" (original value: "1"): want YAML'),
        (b"a: 1\nb: [1\n", "params.yaml:3: expected ',' or ']', but got '<stream end>': want YAML"),
        (b"a: *b\n", "params.yaml:1: found undefined alias 'b': want YAML"),
        (b"a: 1\n\xff", "params.yaml: byte 5 is not UTF-8: save the file as UTF-8"),
        (b"", "params.yaml: found nothing, want sections such as `train:`"),
        (b"- 1\n", "params.yaml: found a list, want sections such as `train:`"),
        (b"just text\n", "params.yaml: found text, want sections such as `train:`"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_told_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, line: str
) -> None:
    assert read(tmp_path, monkeypatch, content) == line


def test_a_control_character_is_told_like_any_other_broken_yaml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(tmp_path, monkeypatch, b"a: 1\nb: \x00\n").startswith("params.yaml")


def test_a_missing_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError, match=r"^params\.yaml: no such file: want the project's parameters$"):
        params.load(FILE)


def test_one_section_is_picked_out_by_its_dotted_name() -> None:
    found = params.section({"train": {"two": {"method": "dpo", "beta": 0.1}}}, "train.two", Sft | Dpo, "params.yaml")

    assert found == Dpo(0.1)


@pytest.mark.parametrize("values", [{}, {"train": {}}, {"train": None}, {"train": {"one": {}}}])
def test_a_missing_section_is_told_by_its_dotted_name(values: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"^params\.yaml: train\.two: missing: want this section$"):
        params.section(values, "train.two", Sft | Dpo, "params.yaml")


def test_a_section_tells_all_its_problems_a_line_each() -> None:
    with pytest.raises(UserError) as told:
        params.section({"lora": {"r": "x", "beta": 1}}, "lora", Lora, "params.yaml")

    assert str(told.value).splitlines() == [
        "params.yaml: lora.beta: unknown key; want one of alpha, r",
        "params.yaml: lora.r = 'x': want a whole number, got text",
        "params.yaml: lora.alpha: missing; give it a value",
    ]
