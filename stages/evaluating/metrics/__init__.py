"""One metric a module. Its `score` returns {name: (numerator, denominator)} for one row.

The signature is `score(expected, answer, suite)` for chats and `score(likelihood)` for texts.

The metric of a suite is the sum of numerators over the sum of denominators. Both means and
F1 = 2TP / (2TP + FP + FN) have this form, so every metric can be bootstrapped by resampling rows.

To add a metric: a module here, and its name in `metrics` of `Suite` or `TextSuite` (stages/params/evaluation.py).
Scores of other names than the module's, as those of slot_f1, stand in `_metrics` of stages/params/cross_checks.py too.
"""
