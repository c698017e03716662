"""Share of a text's tokens that are the model's likeliest; of use between models with one tokenizer."""

from stages.evaluating.text_likelihood import Reading


def score(reading: Reading) -> dict[str, tuple[float, float]]:
    return {"token_accuracy": (float(reading.hits), float(reading.tokens))}
