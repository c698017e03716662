"""One metric a file: `score` gives {name: (numerator, denominator)} of one row.

Of a chat it is `score(expected, answer, suite)`, of a text `score(reading)`.

A metric over many rows is the sum of numerators over the sum of denominators. Means are such ratios, and so
is F1 = 2TP / (2TP + FP + FN), which makes every metric bootstrappable by resampling rows.
"""
