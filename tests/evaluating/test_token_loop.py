"""The loop over tokens chooses what transformers' `generate` chooses, for every kind of cache and every batch."""

from typing import Any

import pytest

from modelmake.errors import UserError
from stages.evaluating import roomy_cache, token_loop
from stages.evaluating.token_loop import Beginning
from tests.tiny_models import TINY

NEW = 12  # tokens
STOP = 7
BEGINNING = list(range(100, 100 + token_loop.SHARED))
PROMPTS = [
    [BEGINNING[0], *rest] for rest in ([11, 12, 13, 14, 15, 16, 17, 18, 19], [21, 22], [31, 32, 33, 34, 35], [21, 22])
]
# {architecture: settings beside TINY}; windows and convolutions are shorter than prompts
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "llama": {},
    "qwen3": {"head_dim": 16},
    "gemma3_text": {"sliding_window": 4, "layer_types": ["sliding_attention", "full_attention"], "head_dim": 16},
    "gpt2": {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 256},
    "bloom": {"n_layer": 2, "n_head": 4},
    "lfm2": {"layer_types": ["conv", "full_attention"], "block_auto_adjust_ff_dim": False},
}


def build(architecture: str) -> Any:
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    sizes = TINY | {"vocab_size": 200, "initializer_range": 0.3, "eos_token_id": STOP, "bos_token_id": None}
    config = AutoConfig.for_model(architecture, **(sizes | {"pad_token_id": 0} | ARCHITECTURES[architecture]))
    return AutoModelForCausalLM.from_config(config).eval()


@pytest.fixture(scope="module")
def llama() -> Any:
    return build("llama")


def generated(network: Any, prompts: list[list[int]], new: int = NEW, stops: frozenset[int] = frozenset({STOP})) -> Any:
    """The tokens that transformers chooses after each prompt alone."""
    import torch
    from transformers import GenerationConfig

    config = GenerationConfig(do_sample=False, max_new_tokens=new, eos_token_id=sorted(stops), pad_token_id=0)
    return [
        network.generate(torch.tensor([prompt]), generation_config=config)[0, len(prompt) :].tolist()
        for prompt in prompts
    ]


def looped(
    network: Any, prompts: list[list[int]], new: int = NEW, stops: frozenset[int] = frozenset({STOP}),
    begun: Beginning | None = None,
) -> list[list[int]]:  # fmt: skip
    import torch

    with torch.inference_mode():
        begun = begun or token_loop.beginning(network, prompts)
        return token_loop.answer(network, prompts, begun, set(stops), new, lambda logits, *_: logits.argmax(-1))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_batch_of_prompts_of_any_lengths_is_answered_as_generate_answers_each(architecture: str) -> None:
    network = build(architecture)

    assert looped(network, PROMPTS) == generated(network, PROMPTS)


def test_rows_end_at_any_stop_token_and_the_others_go_on(llama: Any) -> None:
    longest = generated(llama, PROMPTS, stops=frozenset({199}))
    stops = frozenset({longest[0][2], longest[2][5]})

    answers = looped(llama, PROMPTS, stops=stops)

    assert answers == generated(llama, PROMPTS, stops=stops)
    assert len({len(answer) for answer in answers}) > 1 and answers[0][-1] in stops


def test_more_tokens_than_there_is_room_for_at_first(llama: Any) -> None:
    new = roomy_cache.ROOM + 10

    assert looped(llama, PROMPTS, new, frozenset({199})) == generated(llama, PROMPTS, new, frozenset({199}))


def test_what_all_prompts_begin_with_is_computed_once_and_changes_no_answer(
    llama: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    prompts = [BEGINNING + prompt for prompt in PROMPTS]
    with torch.inference_mode():
        begun = token_loop.beginning(llama, prompts)
    assert begun.tokens == len(BEGINNING) + 1
    seen: list[tuple[int, ...]] = []
    real = token_loop._forward
    monkeypatch.setattr(token_loop, "_forward", lambda *given: (seen.append(tuple(given[2].shape)), real(*given))[1])

    first, again = looped(llama, prompts, begun=begun), looped(llama, prompts[::-1], begun=begun)

    assert first == generated(llama, prompts) and again == first[::-1]
    assert seen[0] == (3, 9), "neither the beginning nor an equal prompt is computed again"


def test_a_short_beginning_and_one_before_a_sliding_window_are_not_computed_apart(llama: Any) -> None:
    assert token_loop.beginning(llama, PROMPTS) == Beginning(0, None)
    assert token_loop.beginning(build("gemma3_text"), [BEGINNING + prompt for prompt in PROMPTS]) == Beginning(0, None)
    assert token_loop.beginning(llama, []) == Beginning(0, None)


def test_a_prompt_that_is_all_beginning_keeps_a_token(llama: Any) -> None:
    prompts = [BEGINNING, [*BEGINNING, 11, 12]]

    assert looped(llama, prompts) == generated(llama, prompts)


def test_a_model_with_another_cache_is_an_error_not_another_answer() -> None:
    import torch

    class Forgetful(torch.nn.Module):
        """A model that ignores the cache that it is given, as those do that know another kind."""

        def __init__(self, network: Any) -> None:
            super().__init__()
            self.network, self.config, self.device = network, network.config, network.device

        def forward(self, input_ids: Any, **_: Any) -> Any:
            return self.network(input_ids)

    with pytest.raises(UserError, match="Forgetful: keeps no keys and values in transformers' DynamicCache: want a"):
        looped(Forgetful(build("llama")), PROMPTS)


@pytest.mark.parametrize(
    ("going", "rows"),
    [
        ([True, True, True], [0, 1, 2]),
        ([True, False, True, True], [0, 3, 2]),
        ([False, False, True, False, True], [4, 2]),
        ([False, True], [1]),
        ([False, False], []),
    ],
)
def test_the_last_rows_take_the_places_of_those_that_ended(going: list[bool], rows: list[int]) -> None:
    kept = roomy_cache.survivors(going)

    assert sorted(kept) == sorted(rows) == [row for row, goes in enumerate(going) if goes]
    assert all(place == row for place, row in enumerate(kept) if going[place])
