"""Keys and tokens are recognised by their issuers' prefixes or by the name before them; words about them stay.

No secret here is real; they are concatenated so that secret scanners do not report them.
"""

import pytest

from stages import pii

WORD = "Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8Qr9St0Uv1Wx2Yz3"  # 39 characters
HEX = "0123456789abcdef" * 4


def keys(text: str) -> list[str]:
    return [text[span.start : span.end] for span in pii.find(text, ["api_key"], [])]


@pytest.mark.parametrize(
    "secret",
    [
        "AKIA" + "IOSFODNN7EXAMPLE", "ASIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + WORD[:36], "gho_" + WORD[:36], "github_pat_" + WORD[:22] + "_" + WORD, "glpat-" + WORD[:20],
        "xoxb-" + "123456789012-123456789012-" + WORD[:24], "xapp-1-" + WORD,
        "AIza" + WORD[:35], "GOCSPX-" + WORD[:28], "ya29." + WORD,
        "sk-" + WORD + "AbCdEfGhI", "sk-proj-" + WORD, "sk-ant-api03-" + WORD, "sk-or-v1-" + HEX,
        "sk_live_" + WORD[:24], "pk_test_" + WORD[:24], "whsec_" + WORD[:32],
        "hf_" + "AbcdefghIjklmnopqrStuvwxyzAbcdefgh", "npm_" + WORD[:36], "pypi-" + WORD + WORD,
        "SG." + WORD[:22] + "." + WORD, "key-" + HEX[:32], "AC" + HEX[:32], "dop_v1_" + HEX, "dapi" + HEX[:32],
        "123456789:" + "AA" + WORD[:33],
        "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0." + WORD,
    ],
)  # fmt: skip
def test_a_key_is_found_by_its_issuers_prefix(secret: str) -> None:
    assert keys(f"Use {secret}, please.") == [secret]
    assert keys(f'{{"k":"{secret}"}}') == [secret]
    assert keys(f"x{secret}") == [] or secret[0] == "-"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("api_key = 'q8ZrT1vLx0PwN3sYk6'", "q8ZrT1vLx0PwN3sYk6"),
        ('"client_secret": "q8ZrT1vLx0PwN3sYk6"', "q8ZrT1vLx0PwN3sYk6"),
        ("export MY_AUTH_TOKEN=q8ZrT1vLx0PwN3sYk6", "q8ZrT1vLx0PwN3sYk6"),
        ("aws_secret_access_key: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("The access token is q8ZrT1vLx0PwN3sYk6.", "q8ZrT1vLx0PwN3sYk6."),
        ("Authorization: Bearer q8ZrT1vLx0PwN3sYk6AA", "q8ZrT1vLx0PwN3sYk6AA"),
        ("password: Summer2024!", "Summer2024!"),
        ("My password is hunter-2000", "hunter-2000"),
        ("postgres://app:s3cret@db.example.org/x", "s3cret"),
        ("https://hooks.slack.com/services/" + "T01234567/B01234567/" + WORD[:24], "T01234567/B01234567/" + WORD[:24]),
    ],
)
def test_a_value_is_found_by_its_name_or_its_place(text: str, value: str) -> None:
    assert keys(text) == [value]


@pytest.mark.parametrize("name", ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
def test_a_private_key_is_found_whole_even_if_its_end_is_cut_off(name: str) -> None:
    lines = "\n".join([WORD + WORD[:25]] * 3)
    block = f"-----BEGIN {name}-----\n{lines}\n-----END {name}-----"

    assert keys(f"Here:\n{block}\nThanks") == [block]
    assert keys(f"Here:\n-----BEGIN {name}-----\n{lines}\nThanks 1") == [f"-----BEGIN {name}-----\n{lines}"]


@pytest.mark.parametrize(
    "text",
    [
        "The token is valid for 3600 seconds.", "api_key = YOUR_API_KEY_HERE", "password: ********", "max_tokens: 512",
        "I forgot my password, the 2nd time", "password is required1", "secret = os.environ['SECRET_2']",
        "git show 3f786850e387550fdab836ed7e6dc881de23001b", "id 550e8400-e29b-41d4-a716-446655440000",
        "sk-learn and sk-1", "task-abcdefghijklmnopqrstuvwxyz12", "https://example.org:8080/a@b",
        "-----BEGIN PUBLIC KEY-----", "the key = [API_KEY] 1", "ghp_short1", "token: aaaaaaaaaaaaaaaa1",
    ],
)  # fmt: skip
def test_texts_that_only_mention_secrets_stay(text: str) -> None:
    assert keys(text) == []
