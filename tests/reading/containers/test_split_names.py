"""Names give splits as they do on the hub, in any case, by words that separators make; others give none."""

import pytest

from stages.reading.containers.split_names import split_from_name


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("test-00000-of-00003-0a1b2c3d", "test"),
        ("test_sft-00000-of-00001", "test"),
        ("squad-test", "test"),
        ("Test", "test"),
        ("TEST (1)", "test"),
        ("eval", "test"),
        ("heldout", "test"),
        ("held-out_rows", "test"),
        ("hold_out", "test"),
        ("testing2", "test"),
        ("my.testset", "test"),
        ("valid", "val"),
        ("X_dev", "val"),
        ("dev-v1.1", "val"),
        ("validation_matched", "val"),
        ("train_sft", "train"),
        ("training", "train"),
        ("eval_train", "train"),
        ("train_test", "test"),
        ("train_of_thought", ""),
        ("evaluation_of_products", ""),
        ("test of time", ""),
        ("latest", ""),
        ("contest", ""),
        ("testimonials", ""),
        ("developer", ""),
        ("invalid", ""),
        ("retrain", ""),
        ("household-outlets", ""),
        ("data", ""),
    ],
)
def test_a_word_of_a_name_gives_the_split(name: str, split: str) -> None:
    assert split_from_name(name) == split
