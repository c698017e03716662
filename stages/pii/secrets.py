"""Keys, tokens and passwords: by the formats of their issuers, or by the name that a value is assigned to."""

import math
import re
from collections import Counter
from collections.abc import Iterator

LONG = re.compile(r"[\w+/=.:@-]{14}")  # in every secret but passwords
FORMATS = re.compile(  # each with its issuer's prefix
    r"(?<![\w-])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA|AGPA)[A-Z0-9]{16}"  # AWS
    r"|gh[opusr]_\w{36,255}|github_pat_\w{22,255}"  # GitHub
    r"|gl(?:pat|ptt|dt|rt|cbt|soat|imt|agent|ffct)-[\w.-]{20,300}"  # GitLab
    r"|xox[abceoprs]-[\w-]{10,250}|xapp-\d-[\w-]{10,250}"  # Slack
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,500}|GOCSPX-[\w-]{20,40}"  # Google
    r"|sk-ant-[\w-]{16,200}|sk-or-[\w-]{16,200}|sk-(?:proj|svcacct|admin|None)-[\w-]{16,250}|sk-[A-Za-z0-9]{20,64}"
    r"|[spr]k_(?:live|test)_\w{16,250}|whsec_[\w+/=]{16,100}"  # Stripe
    r"|hf_[A-Za-z0-9]{30,40}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,300}"
    r"|SG\.[\w-]{16,32}\.[\w-]{16,64}|key-[0-9a-f]{32}|(?:AC|SK)[0-9a-f]{32}"  # SendGrid, Mailgun, Twilio
    r"|do[opr]_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|dapi[0-9a-f]{32}|gsk_\w{40,64}|xai-\w{40,100}"
    r"|r8_\w{37}|pplx-\w{40,64}|lin_api_\w{32,64}|ntn_\w{40,60}|sq0[a-z]{3}-[\w-]{22,60}|glc_[\w+/=]{32,250}"
    r"|AGE-SECRET-KEY-1[A-Z0-9]{58}|\d{8,10}:AA[\w-]{33}"  # age, Telegram
    r"|eyJ[\w-]{8,4000}\.eyJ[\w-]{4,8000}\.[\w-]{0,2000}"  # JSON Web Tokens
    r")(?![\w-])"
)
WEBHOOK = re.compile(
    r"hooks\.slack\.com/services/(T\w{6,14}/B\w{6,14}/\w{16,40})"
    r"|discord(?:app)?\.com/api/webhooks/(\d{16,20}/[\w-]{50,90})"
)
BLOCK = re.compile(
    r"-----BEGIN (?P<name>[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?)-----"
    r"(?:.{0,20000}?-----END (?P=name)-----|(?:(?:\s|\\n)+[\w+/=]{16,80})*)",
    re.DOTALL,
)
IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,64}:([^\s:/@]{3,128})@", re.IGNORECASE)
BEARER = re.compile(r"\b(?:bearer|basic|token)\s{1,3}([\w.~+/-]{20,2000}={0,2})", re.IGNORECASE)
NAME = re.compile(  # of a secret, before its value
    r"(?:api|access|secret|private|auth|client|account|encryption|signing|refresh|session|service)[ _.-]?"
    r"(?:key|token|secret)|secret|token|passw(?:or)?d|passwort|pwd|passphrase|credentials?",
    re.IGNORECASE,
)
WORDS = ("key", "token", "secret", "pass", "pwd", "credential", "bearer", "basic")  # one is in every NAME and in BEARER
VALUE = re.compile(r"[\w-]{0,20}[\"'`]{0,2}\s{0,3}(?::=|=>|=|:|\bis\b:?)\s{0,3}[\"'`]?([^\s\"'`,;<>()\[\]{}]{8,512})")
PASSWORD = re.compile(r"pass|pwd", re.IGNORECASE)


def keys(text: str) -> Iterator[tuple[int, int]]:
    """Spans of secrets, in order and without overlaps."""
    spans: list[tuple[int, int]] = []
    lower = text.lower()
    may_be_named = any(word in lower for word in WORDS)
    for start, end in (*_by_format(text), *(_by_name(text) if may_be_named else ())):
        if not any(start < other_end and other < end for other, other_end in spans):
            spans.append((start, end))
    yield from sorted(spans)


def _by_format(text: str) -> list[tuple[int, int]]:
    """Secrets with an issuer's prefix, in a URL, or between the lines of a private key."""
    if not LONG.search(text):
        return []
    spans = [match.span() for match in BLOCK.finditer(text)] if "PRIVATE KEY" in text else []
    spans += [match.span() for match in FORMATS.finditer(text)]
    if "hooks" in text:
        spans += [match.span(match.lastindex) for match in WEBHOOK.finditer(text)]
    if "://" in text:
        spans += [match.span(1) for match in IN_URL.finditer(text) if match[1][0] not in "[$<{"]
    return spans


def _by_name(text: str) -> list[tuple[int, int]]:
    """Secrets after a name such as `api_key =` or `password:`."""
    spans = [match.span(1) for match in BEARER.finditer(text) if looks_random(match[1])]
    for name in NAME.finditer(text):
        match = VALUE.match(text, name.end())
        if match and (looks_random(match[1]) or (PASSWORD.search(name[0]) and looks_like_password(match[1]))):
            spans.append(match.span(1))
    return spans


def looks_random(text: str) -> bool:
    """True for 16 characters or more with letters, digits and a Shannon entropy of at least 3 bits a character."""
    if len(text) < 16 or not any(map(str.isdigit, text)) or not any(map(str.isalpha, text)):
        return False
    bits = -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
    return bits >= 3.0


def looks_like_password(text: str) -> bool:
    """True for letters with digits and either both cases or other characters; ordinary words are not."""
    lower, upper, digit = (any(map(test, text)) for test in (str.islower, str.isupper, str.isdigit))
    other = any(not c.isalnum() for c in text.rstrip(".!?:"))
    return digit and (lower or upper) and (other or lower == upper)
