"""The hash of statements is that of what the interpreter runs."""

import ast

from modelmake.keys import bytecode


def digest(code: str) -> str:
    return bytecode.digest(bytecode.compiled(bytecode.normalise(ast.parse(code).body)))


def test_numbers_truth_values_and_strings_are_different_constants() -> None:
    values = ("1", "True", "1.0", "'1'", "b'1'", "-0.0", "0.0")

    assert len({digest(f"X = {value}") for value in values}) == len(values)


def test_the_order_of_a_set_does_not_count() -> None:
    assert digest("X = y in {'a', 'b', 'c'}") == digest("X = y in {'c', 'b', 'a'}")


def test_the_order_of_a_set_of_numbers_counts_where_a_loop_sees_it() -> None:
    assert digest("for x in {8, 0, 16}: y(x)") != digest("for x in {16, 0, 8}: y(x)")
    assert digest("for x in {1, 2, 3}: y(x)") == digest("for x in {3, 1, 2}: y(x)")


def test_global_names_are_those_of_nested_functions_too() -> None:
    [code] = bytecode.compiled(ast.parse("def f(a):\n    b = a\n    return lambda: g(b, h.i)").body)

    assert {"g", "h"} <= set(bytecode.global_names(code))
    assert not {"a", "b"} & set(bytecode.global_names(code))
