"""What of a text is code, and what of an expected answer is tests."""

import pytest

from stages.evaluating.running_code import code_blocks

EXPECTED = "Double it.\n\n```python\ndef f(n):\n    return 2 * n\n```\n\n```python tests\nassert f(2) == 4\n```\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("def f(): ...", "def f(): ...\n".rstrip()),
        ("Here:\n```python\nx = 1\n```\nand\n```python\nx = 2\n```", "x = 1\n"),
        ("```\nx = 1\n```", "x = 1\n"),
        ("```PYTHON\nx = 1\n```", "x = 1\n"),
        ("```py title='a.py'\nx = 1\n```", "x = 1\n"),
        ("```bash\npip install x\n```\n```python\nx = 1\n```", "x = 1\n"),
        ("```bash\npip install x\n```", ""),
        ("```python\nx = 1", "x = 1"),
        ("1. So:\n   ```python\n   x = 1\n   ```", "   x = 1\n"),
        ("```python\nx = '`a`'\n```", "x = '`a`'\n"),
        ("```python tests\nassert f() == 1\n```", ""),
        ("", ""),
    ],
)
def test_code_is_the_first_block_of_python_or_all_of_a_text_without_blocks(text: str, code: str) -> None:
    assert code_blocks.code(text) == code


def test_an_expected_answer_has_tests_and_may_have_a_solution() -> None:
    assert code_blocks.tests(EXPECTED) == "assert f(2) == 4\n"
    assert code_blocks.solution(EXPECTED) == "def f(n):\n    return 2 * n\n"
    assert code_blocks.solution("```python tests\nassert f(2) == 4\n```") == ""
    assert code_blocks.tests("```python tests\na = 1\n```\n```tests\nassert f(a)\n```") == "a = 1\n\nassert f(a)\n"
    assert code_blocks.tests("assert f(2) == 4") == "" == code_blocks.solution("def f(): ...")


@pytest.mark.parametrize(
    ("text", "can"),
    [("assert f() == 1", True), ("def check(f):\n    assert f(1)\ncheck(f)", True), ("f()", False), ("assert", False),
     ("# assert", False), ("", False)],
)  # fmt: skip
def test_tests_that_assert_nothing_cannot_fail(text: str, can: bool) -> None:
    assert code_blocks.can_fail(text) == can
