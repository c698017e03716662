"""BLEU with sacrebleu's tokenizer `zh`: every Chinese character is a token, other text is split as by 13a."""

from stages.answers.reply import Reply
from stages.evaluating.metrics import Metric, Statistics, bleu
from stages.params.evaluation import Suite

METRIC = Metric("higher", 0, 100, "Papineni et al. 2002, BLEU; Post 2018, sacreBLEU, arXiv:1804.08771: tok:zh")
TOKENIZER = "zh"


def usable(expected: Reply, suite: Suite) -> bool:
    return bleu.enough_tokens(expected, TOKENIZER)


def score(expected: Reply, answer: Reply, suite: Suite) -> dict[str, Statistics]:
    return {"bleu_zh": bleu.statistics(expected, answer, TOKENIZER)}
