"""One metric a module. Its `score` returns {name: (numerator, denominator)} for one row.

The signature is `score(expected, answer, suite)` for chats and `score(likelihood)` for texts.

The metric of a suite is the sum of numerators over the sum of denominators. Both means and
F1 = 2TP / (2TP + FP + FN) have this form, so every metric can be bootstrapped by resampling rows.
"""
