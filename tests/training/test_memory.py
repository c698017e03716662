"""Memory that a training step is foreseen to take, held against a real step and against hand-written sums."""

from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from stages.params.cross_checks import ONLY_ON_GPUS
from stages.params.machine import Machine
from stages.params.schedules import Optimizer
from stages.params.training import Step
from stages.proposing.proposal import LORA
from stages.training import memory
from stages.training.labelled_logits import LabelledLogProbs
from tests.test_train import step
from tests.training.test_resume import STEPS

CPU = Machine("cpu", "float32", 1)
MIB = 2**20


def config(**changes: Any) -> Any:
    from transformers import LlamaConfig

    shape = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_hidden_layers": 6}
    return LlamaConfig(**{**shape, "vocab_size": 500, "tie_word_embeddings": True, **changes})


def counted(model_config: Any, params: Step, tokens: int) -> int:
    """The most bytes alive in a real step of the whole model."""
    import torch
    from transformers import AutoModelForCausalLM

    model, counter = AutoModelForCausalLM.from_config(model_config).train(), memory._Counter()
    for tensor in (*model.parameters(), *model.buffers()):
        counter.add(tensor)
    with memory._counting(counter):
        ids = torch.zeros(params.per_device_train_batch_size, tokens, dtype=torch.long)
        hidden = model.get_decoder()(input_ids=ids, use_cache=False).last_hidden_state
        head, states = model.get_output_embeddings(), hidden.reshape(-1, hidden.shape[-1])
        arguments = (states, head.weight, None, ids.reshape(-1), 1.0, 0, None, 1.0, memory.LOGGED)
        LabelledLogProbs.apply(*arguments)[0].sum().backward()
    return counter.peak


def test_what_is_foreseen_of_short_models_is_what_a_step_of_the_whole_one_takes() -> None:
    params = step(per_device_train_batch_size=8)

    foreseen = memory.need(config(), params, CPU, tokens=96, trained=1.0)

    # the real step has no optimizer, and its first gradients are there before the last activations go
    assert foreseen.peak - foreseen.optimizer == pytest.approx(counted(config(), params, 96), rel=0.1)


def test_weights_gradients_and_two_moments_are_those_of_every_trained_weight() -> None:
    layer = 4 * 64 * 64 + 3 * 64 * 128 + 2 * 64  # attention, the three matrices of the network, two norms
    weights = 500 * 64 + 6 * layer + 64  # the embedding is the output matrix too

    foreseen = memory.need(config(), step(), CPU, tokens=16, trained=1.0)

    assert foreseen.gradients == 4 * weights
    assert foreseen.optimizer == 8 * weights
    assert foreseen.weights - 4 * weights == pytest.approx(0, abs=1000)  # frequencies of the positions


def test_lora_keeps_gradients_of_its_own_weights_only() -> None:
    lora = msgspec.structs.replace(step(weights={**LORA, "r": 2}))
    adapter = 6 * 2 * (4 * (64 + 64) + 3 * (64 + 128))  # r times inputs and outputs of seven matrices

    foreseen = memory.need(config(), lora, CPU, tokens=16, trained=1.0)

    assert (foreseen.gradients, foreseen.optimizer) == (4 * adapter, 8 * adapter)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_what_is_trained_whole_beside_an_adapter_takes_float32_and_its_moments(dtype: str) -> None:
    machine, untied = Machine("cpu", dtype, 1), config(tie_word_embeddings=False)
    plain = step(weights={**LORA, "modules_to_save": [], "trainable_token_indices": []})
    whole = step(weights={**LORA, "modules_to_save": ["lm_head"], "trainable_token_indices": [2, 3]})

    without, foreseen = (memory.need(untied, params, machine, 16, 1.0) for params in (plain, whole))

    head, tokens = 500 * 64, 2 * 64
    assert foreseen.gradients - without.gradients == 4 * (head + tokens)
    assert foreseen.optimizer - without.optimizer == 8 * (head + tokens)
    assert foreseen.weights - without.weights == 4 * (head + 2 * tokens)  # PEFT keeps the rows as they were, too


def test_a_machine_of_bfloat16_computes_in_it_from_weights_in_float32() -> None:
    half, whole = (
        memory.need(config(), step(), Machine("cpu", dtype, 1), 96, 0.1) for dtype in ("bfloat16", "float32")
    )

    assert half[:3] == whole[:3], "weights, gradients, moments"
    assert half.activations < 0.8 * whole.activations


def test_logits_grow_with_the_share_of_tokens_that_the_loss_sees() -> None:
    wide = config(vocab_size=50_000)
    params = step(per_device_train_batch_size=4)

    whole, tenth = (memory.need(wide, params, CPU, tokens=100, trained=share).logits for share in (1.0, 0.1))

    assert whole > 2 * 400 * 50_000 * 4  # logits and their gradients
    assert tenth < whole / 3


def test_checkpointing_keeps_less_for_the_backward_pass() -> None:
    deep = config(num_hidden_layers=24)

    plain, checkpointed = (
        memory.need(deep, step(gradient_checkpointing=on), CPU, tokens=128, trained=0.1) for on in (False, True)
    )

    assert checkpointed.activations < plain.activations / 5
    assert checkpointed.weights == plain.weights


def test_of_a_model_that_also_sees_the_text_part_counts() -> None:
    from transformers import Gemma3Config, Gemma3TextConfig

    shape = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_hidden_layers": 6}
    text = Gemma3TextConfig(**shape, num_key_value_heads=2, head_dim=16, vocab_size=500)

    foreseen = memory.need(Gemma3Config(text_config=text.to_dict()), step(), CPU, tokens=16, trained=1.0)

    assert foreseen == memory.need(text, step(), CPU, tokens=16, trained=1.0)


def test_a_pair_is_two_sequences() -> None:
    pairs, chats = step("dpo", weights={"kind": "all"}), step("sft")

    assert memory.sequences(pairs) == 2 * memory.sequences(chats) == 8


def test_a_score_has_no_logits_of_the_vocabulary() -> None:
    wide, scores = config(vocab_size=50_000), STEPS["reward, LoRA"]

    assert memory.need(wide, scores, CPU, tokens=64, trained=1.0).logits < 64 * 50_000 * 4


@pytest.mark.parametrize("optim", sorted({*get_args(Optimizer)} - {*ONLY_ON_GPUS}))
def test_an_optimizer_keeps_as_many_bytes_as_the_table_says(optim: str, tmp_path: Path) -> None:
    import torch
    from transformers import Trainer, TrainingArguments

    weight = torch.nn.Parameter(torch.ones(512, 512))
    arguments = TrainingArguments(str(tmp_path), optim=optim, learning_rate=1e-3, use_cpu=True, report_to="none")
    kind, settings = Trainer.get_optimizer_cls_and_kwargs(arguments)
    optimizer = kind([weight], **settings)
    weight.grad = torch.ones_like(weight)
    optimizer.step()

    moments = [t for t in optimizer.state[weight].values() if isinstance(t, torch.Tensor) and t.numel() >= 512]
    kept = sum(tensor.numel() * tensor.element_size() for tensor in moments)
    assert kept / weight.numel() == pytest.approx(memory.STATES[optim], abs=0.1)


def test_dropout_of_adapters_keeps_what_it_dropped_and_what_is_left() -> None:
    """Of a batch of 8 rows of 96 tokens, in 6 layers of 7 adapted matrices: 6 with inputs of 64, one of 128."""
    tokens, inputs = 8 * 96, 6 * (6 * 64 + 128)

    def kept(device: str) -> int:
        plain, dropped = (
            step(per_device_train_batch_size=8, weights={**LORA, "lora_dropout": share}) for share in (0.0, 0.1)
        )
        machine = Machine(device, "float32", 1)
        without, found = (memory.need(config(), params, machine, 96, 1.0).activations for params in (plain, dropped))
        return found - without

    # Matrices that shared an input have one each: less than theirs and the factors, more than the factors alone.
    assert 4 * tokens * inputs < kept("cpu") < 8 * tokens * inputs
    assert kept("cpu") - kept("cuda") == pytest.approx(3 * tokens * inputs, rel=0.1)


def test_with_checkpointing_the_last_to_come_is_a_layer_beside_all_gradients() -> None:
    """What a layer keeps for its backward pass is there while the gradients of all others are."""
    deep, one = config(num_hidden_layers=24, vocab_size=8), config(num_hidden_layers=1, vocab_size=8)
    params = {on: step(gradient_checkpointing=on) for on in (False, True)}

    checkpointed = memory.need(deep, params[True], CPU, tokens=128, trained=0.1)

    of_a_layer = memory.need(one, params[False], CPU, tokens=128, trained=0.1).activations
    assert checkpointed.first_layer == pytest.approx(of_a_layer, rel=0.5)
    assert checkpointed.peak >= sum(checkpointed[:3]) + 0.5 * of_a_layer


def test_where_the_first_layer_trains_nothing_its_backward_pass_takes_nothing() -> None:
    last = step(weights={**LORA, "target_modules": ["down_proj"], "layers_to_transform": [5]})
    only_deep = {**LORA, "target_modules": ["layers.1.mlp.down_proj"], "modules_to_save": []}

    assert memory.need(config(), step(weights=only_deep), CPU, tokens=16, trained=1.0).peak > 0
    assert memory.need(config(), last, CPU, tokens=16, trained=1.0).peak > 0


def test_a_model_may_call_its_layers_h() -> None:
    from transformers import GPT2Config

    small = GPT2Config(n_embd=64, n_layer=6, n_head=4, vocab_size=500, n_positions=64)

    assert memory.need(small, step(), CPU, tokens=16, trained=1.0).first_layer >= 0
