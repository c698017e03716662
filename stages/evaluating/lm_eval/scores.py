"""What the metrics of lm-eval's tasks mean."""

from stages.evaluating.metrics import Metric
from stages.params.lm_eval import Task

SOURCE = "Gao et al. 2024, The Language Model Evaluation Harness, doi:10.5281/zenodo.12608602; version 0.4.13"
OF_LIKELIHOODS = {
    "bits_per_byte": Metric("lower", 0, None, SOURCE),
    "byte_perplexity": Metric("lower", 1, None, SOURCE),
    "word_perplexity": Metric("lower", 1, None, SOURCE),
    "perplexity": Metric("lower", 1, None, SOURCE),
}
MEAN = Metric("higher", 0, 1, SOURCE)  # of all others; a task whose YAML says something else is refused


def declared(task: Task) -> dict[str, Metric]:
    """{name: what it means} of every metric of a task."""
    return {name: OF_LIKELIHOODS.get(name.partition(".")[0], MEAN) for name in task.metrics}
