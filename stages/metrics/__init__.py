"""One metric a file: `score(expected, answer, suite)` gives {name: (numerator, denominator)} of one row.

A metric over many rows is the sum of numerators over the sum of denominators. Means are such ratios, and so
is F1 = 2TP / (2TP + FP + FN), which makes every metric bootstrappable by resampling rows.
"""
