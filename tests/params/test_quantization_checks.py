"""What preflight says of `quantize`: names, rows to calibrate on, and sizes that a type cannot hold."""

from pathlib import Path

import pytest

from stages.params import quantization_checks
from stages.params.base_model import Base, Folder, Hub, Tiny
from stages.params.release import Calibration, Gguf, LlamaCpp, Llmcompressor, Quant

ROWS = Calibration("chat", 8)
GGUF = Gguf(from_="sft", calibration=None)
K_QUANT = LlamaCpp(from_="sft", calibration=None)
FP8 = Llmcompressor(from_="sft", calibration=None, max_seq_length=None, device="cpu")
ON_ROWS = Llmcompressor(from_="sft", calibration=ROWS, max_seq_length=64, device="cpu")


def tiny(hidden_size: int, intermediate_size: int) -> Tiny:
    """Two layers: of each of four matrices of attention, gate, up and down; and the embedding."""
    return Tiny(
        source="data/mixed/text.jsonl", vocab_size=512, hidden_size=hidden_size, intermediate_size=intermediate_size,
        num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=64, max_steps=1,
        per_device_train_batch_size=1, block_tokens=8, learning_rate=0.1, warmup_steps=0, weight_decay=0.0, seed=1,
    )  # fmt: skip


def saved(folder: Path, tied: bool, **shapes: tuple[int, ...]) -> Folder:
    """A base folder with tensors of these shapes."""
    import numpy as np
    from safetensors.numpy import save_file

    save_file({name: np.zeros(shape, np.float16) for name, shape in shapes.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(f'{{"tie_word_embeddings": {str(tied).lower()}}}')
    return Folder(str(folder), None)


def replaced(quant: Quant, **changes: object) -> Quant:
    import msgspec

    return msgspec.structs.replace(quant, **changes)


@pytest.mark.parametrize(
    ("name", "quant", "line"),
    [
        ("Q2_K", K_QUANT, None),
        ("Q2_K", replaced(K_QUANT, calibration=ROWS), None),
        ("BF16", GGUF, None),
        ("gptq", ON_ROWS, None),
        ("fp8", FP8, None),
        ("Q2_K", GGUF, "quantize: name 'Q2_K': want one of F32, F16, BF16, Q8_0, Q5_0, Q4_0 with tool = gguf"),
        ("int4", FP8, "quantize: name 'int4': want one of awq, gptq, int8, fp8 with tool = llmcompressor"),
        ("int8", FP8, "quantize.int8.calibration = None: want rows: int8 is calibrated on them"),
        ("fp8", ON_ROWS, "quantize.fp8.calibration: want null: fp8 uses the weights alone"),
        ("fp8", replaced(FP8, max_seq_length=64), "quantize.fp8.max_seq_length = 64: want null: no row is read"),
        ("awq", replaced(ON_ROWS, max_seq_length=None),
         "quantize.awq.max_seq_length = None: want the number of tokens at which its rows are cut"),
    ],
)  # fmt: skip
def test_a_type_has_its_tool_and_the_rows_that_it_needs(name: str, quant: Quant, line: str | None) -> None:
    assert quantization_checks.problems({name: quant, "undecoded": None}) == ([line] if line else [])


@pytest.mark.parametrize("name", ["awq", "gptq"])
def test_rows_that_fill_no_groups_are_refused_before_training(name: str) -> None:
    assert quantization_checks.size_problems(tiny(128, 384), {name: ON_ROWS}) == []
    assert quantization_checks.size_problems(tiny(64, 96), {name: ON_ROWS, "fp8": FP8, "Q6_K": K_QUANT}) == [
        f"params.yaml: quantize.{name}: the base has matrices with rows of 64, 96 weights: want multiples of 128; take "
        "int8 or fp8, or a GGUF type"
    ]


def test_embeddings_and_output_matrices_need_fill_no_groups(tmp_path: Path) -> None:
    base = saved(tmp_path, False, **{
        "model.embed_tokens.weight": (7, 100), "lm_head.weight": (7, 100),
        "model.layers.0.mlp.up_proj.weight": (7, 128),
    })  # fmt: skip

    assert quantization_checks.size_problems(base, {"awq": ON_ROWS}) == []


def test_matrices_that_will_have_other_types_are_told_before_training() -> None:
    assert quantization_checks.size_notes(tiny(256, 512), {"Q4_K_M": K_QUANT, "Q8_0": GGUF}) == []
    assert quantization_checks.size_notes(tiny(128, 256), {"Q4_K_M": K_QUANT, "Q8_0": GGUF, "fp8": FP8}) == [
        "quantize.Q4_K_M: 13 of 15 matrices will be stored in other types, their weights in a row being no multiple of "
        "256 (13 with rows of 128): the file will be larger"
    ]


@pytest.mark.parametrize(("tied", "counts"), [(True, "1 of 2"), (False, "2 of 3")])
def test_matrices_of_a_folder_are_counted_by_its_files(tmp_path: Path, tied: bool, counts: str) -> None:
    base = saved(tmp_path, tied, **{
        "model.embed_tokens.weight": (7, 48), "lm_head.weight": (7, 48), "model.norm.weight": (48,),
        "model.layers.0.mlp.down_proj.weight": (48, 64),
    })  # fmt: skip

    [note] = quantization_checks.size_notes(base, {"Q8_0": GGUF})

    assert note.startswith(f"quantize.Q8_0: {counts} matrices will be stored in other types, their weights in a row")
    assert "no multiple of 32" in note


@pytest.mark.parametrize("base", [Hub("recipes/base.json", None), Folder("nowhere", None), None])
def test_nothing_is_said_of_a_base_whose_sizes_are_not_here(base: Base | None) -> None:
    assert quantization_checks.size_notes(base, {"Q4_K_M": K_QUANT}) == []
    assert quantization_checks.size_problems(base, {"awq": ON_ROWS}) == []
