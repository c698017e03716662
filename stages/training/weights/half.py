"""Half fine-tuning (Hui et al. 2024, arXiv:2404.18466): a random half of each layer is frozen, in turns.

Layers are halved by their parts: half of the attention's matrices, of the feed-forward's, of the norms. Two turns in a
row have opposite halves, so that each is trained as often. Embedding, output matrix and last norm are always trained.
A weight that is frozen keeps its optimizer state, and goes on with it.
"""

import random
import re
from collections import defaultdict
from typing import Any

from stages.params.training import Step
from stages.training.weights.all import load as load
from stages.training.weights.all import save as save

PART = re.compile(r"^(.*\.\d+(?:\.\w+)*?)\.(\w+)\.(?:weight|bias)$")  # (layer and its part, module)


def frozen(names: list[str], turn: int, seed: int) -> set[str]:
    """The names of the weights that a turn leaves as they are."""
    parts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        if match := PART.match(name):
            parts[match[1]][match[2]].append(name)
    chance = random.Random(f"{seed} {turn // 2}")
    chosen: set[str] = set()
    for part in sorted(parts):
        modules = sorted(parts[part])
        drawn = set(chance.sample(modules, chance.choice([len(modules) // 2, (len(modules) + 1) // 2])))
        kept = drawn if turn % 2 == 0 else set(modules) - drawn
        chosen.update(name for module in kept for name in parts[part][module])
    return chosen


def prepare(trainer: Any, params: Step) -> None:
    """Makes the trainer freeze the half of each turn, also where it resumes in the middle of one."""
    from transformers import TrainerCallback

    weights = dict(trainer.model.named_parameters())

    class Turns(TrainerCallback):
        turn = -1

        def on_step_begin(self, args, state, control, **_):
            steps = params.weights.rotate_steps
            turn = state.global_step // steps if steps else int(state.epoch or 0)
            if turn != self.turn:
                self.turn, left = turn, frozen(list(weights), turn, params.seed)
                for name, weight in weights.items():
                    weight.requires_grad_(name not in left)

    trainer.add_callback(Turns())
