"""Share of a text's tokens that were the model's most likely prediction; comparable within one tokenizer only."""

from stages.evaluating.metrics import Metric
from stages.evaluating.text_likelihood import TextLikelihood

METRIC = Metric("higher", 0, 1, "TRL, mean_token_accuracy of SFTTrainer")


def score(likelihood: TextLikelihood) -> dict[str, tuple[float, float]]:
    return {"token_accuracy": (float(likelihood.hits), float(likelihood.tokens))}
