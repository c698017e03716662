"""E-mail addresses and phone numbers."""

import re
from collections.abc import Iterator

EMAIL = re.compile(  # bounds of RFC 5321, 1035: linear time
    r"\b(?!(?:git|hg|svn)@)[\w.+-]{1,64}"
    r"@(?!v?\d+\.\d|\dx\.(?:png|jpe?g|gif|webp|svg|avif)\b)"  # the version of a package, a picture
    r"[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}\.(?:[^\W\d_]{2,63}|xn--[\w-]{1,59})\b"
)
ACCOUNT = re.compile(  # before an account on a host
    r"(?:://|(?<![\w-])(?:ssh|sftp|mosh|ssh-copy-id)(?:[ \t]+-\w+(?:[ \t]+[^\s@-][^\s@]*)?)*[ \t]+)\Z"
)
SPELT_AT = ("at)", "at]", "at )", "at ]", "AT)", "AT]", "AT )", "AT ]")
SPELT_OUT_EMAIL = re.compile(
    r"\b[\w.+-]{1,64} ?[\[(] ?at ?[\])] ?[\w-]{1,63}(?: ?(?:\.|[\[(] ?dot ?[\])]) ?[\w-]{1,63}){1,4}\b", re.IGNORECASE
)
LETTER = r"[^\W\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]"  # of a script that puts spaces between words
PHONE = re.compile(
    rf"(?=[+(\d])(?<!{LETTER})(?<!\+)"
    r"(?:(?=[+(])|(?<!\d[ .,:-])(?:(?<!\d/)|(?<=\d{4}/)))"  # not within a number, a date or a time
    r"(?:(?:(?:\+|00)\d{1,3}|\(\+\d{1,3}\))[ .-]?|1[ .-]?(?=\())?"
    r"(?:\(\d{1,5}\)[ ./-]?)?\d{1,5}[ ./-]?\d{2,5}(?:[ .-]?\d{2,5}){0,4}"
    rf"(?:-\d)?(?!{LETTER}|-\w|\.\d)"  # the last digit is that of a German switchboard
)
NOT_A_PHONE = re.compile(
    r"\+?0\.|\+?\d+\.\d{1,2}$"  # a decimal or a version
    r"|\d{1,2}([.-])\d{1,2}\1(?:19|20)\d\d(?!\d)|(?:1[5-9]|20)\d\d([./-])\d{1,2}\2\d{1,2}(?!\d)"  # a date
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"
    r"|\(?\+0|000|0-|00(?!(?:\D?\d){9})"  # no country's code; too short behind the prefix of international calls
    r"|0\d(?:[ .-]\d\d){5,}$"  # more pairs than a French number has
)
AMERICAN = re.compile(r"(?:1[ .-])?\d{3}([ .-])\d{3}\1\d{4}|(?:1 ?)?\(\d{3}\) ?\d{3}[ .-]\d{4}|555-\d{4}")
CUE = re.compile(  # words before a phone number
    r"\b(?:tel|tele?phone|phone(?!\])|mobile|cell|landline|fax|hotline|call|dial|ring|reach|whatsapp|sms|text"
    r"|telefon|handy|handynummer|mobil|téléphone|tél|numéro|telefono|cellulare|teléfono|móvil|celular"
    r"|ll[aá]ma(?:me)?|tlf|zadzwoń"
    r"|(?:my|your|his|her|our|their|'s)(?: (?:old|new|home|work|direct|private))? number)\b"
    r"(?:(?: (?-i:[A-Z])\w+| ?\(\w+\)|(?<=tel) \w+)(?=\W+$))?"  # whose it is, or when
    r"(?:[^\w\n,;!?+]|\b(?:me|us|him|her|them|at|on|is|was|no|nr|number|numbers|nummer|line|es|est|ist|pod|le|al)\b)"
    r"{0,8}$",
    re.IGNORECASE,
)
OTHER_CUE = re.compile(  # words before other numbers
    r"(?:\b(?:order|ticket|case|invoice|receipt|reference|ref|réf|booking|tracking|contract|policy|item"
    r"|account|iva|vat|btw|nip|regon|krs|serial|passport|licen[cs]e|part|modell|ersatzteil|article|art|sku|isbn|ean|upc"
    r"|imei|zip|pin|polisnummer|vestigingsnummer)\b"
    r"|\b(?!(?:tele)?phone|tel|mobile|cell|fax|landline|contact|office|emergency|my|your|his|her|our|their|s|the|this|a|new"
    r"|old|home|work|direct|private)\w+ (?:number|id|tag)\b"
    r"|\b(?-i:[A-Z]{2})(?= $))"  # a state of the US, before a ZIP code
    r"(?:[^\w\n,;!?+]|\b(?:is|no|nr|nº|number|numbers|nummer|id|code)\b){0,6}$",
    re.IGNORECASE,
)
CODE = re.compile(r"\w(?:[(\[]| ?=|[\"'] ?:) ?[\"']?$")  # before an argument or a value
ALL_DIGITS = "01234567890"  # a list of them, or an example
OPERATOR = re.compile(r" ?[+*=] ?\d")
LIST = re.compile(r"\s*[,;/|&–]?\s*(?:and|or|und|oder|et|ou|y|o|e|albo|lub)?\s*")  # between two phone numbers
LIST_CHARS = 12  # at most between them
ACCOUNT_CHARS = 80  # before an address in which a command is looked for
CUE_CHARS = 40  # before a number in which a cue is looked for


def emails(text: str) -> Iterator[tuple[int, int]]:
    """E-mail addresses, also those spelt out with (at)."""
    if "@" in text:
        for match in EMAIL.finditer(text):
            start, end = match.span()
            has_path = text.startswith((":/", ":~"), end)
            if not has_path and not ACCOUNT.search(text, max(0, start - ACCOUNT_CHARS), start):
                yield start, end
    if may_spell_out_email(text):
        yield from (match.span() for match in SPELT_OUT_EMAIL.finditer(text))


def may_spell_out_email(text: str) -> bool:
    """True if the text may spell out an address with (at); cheaper than the pattern."""
    return (")" in text or "]" in text) and any(word in text for word in SPELT_AT)


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Numbers with the form of phone numbers, and others after a word such as `call` or after a phone number."""
    last = -LIST_CHARS  # end of the phone number before
    for match in PHONE.finditer(text):
        number, (start, end) = match[0], match.span()
        if len(number) < 7 or not may_be_phone(number) or OPERATOR.match(text, end):
            continue
        before = text[max(0, start - CUE_CHARS) : start]
        listed = start - last < LIST_CHARS and LIST.fullmatch(text, last, start)
        if listed or is_phone(number, before):
            last = end
            yield start, end


def is_phone(number: str, before: str) -> bool:
    """True for the form of a phone number, or a word such as `call` before it, and no word such as `order`."""
    if number[0] not in "+(" and OTHER_CUE.search(before):
        return False
    if CUE.search(before):
        return True
    return number not in ALL_DIGITS and has_phone_form(number) and not (number.isdigit() and CODE.search(before))


def has_phone_form(number: str) -> bool:
    """True for nine digits or more that begin with +, 0 or (, and for the forms 415-555-0123 and 555-0123.

    A number without any separator has ten or eleven digits, since others are as often those of a customer or a part.
    """
    if AMERICAN.fullmatch(number):
        return True
    digits = _digits(number)
    return number[0] in "+0(" and digits >= 9 and not (number.isdigit() and digits not in (10, 11))


def may_be_phone(number: str) -> bool:
    """True for seven to fifteen digits (ITU-T E.164) that are no date, decimal, version or range."""
    return 7 <= _digits(number) <= 15 and not NOT_A_PHONE.match(number) and not _is_range(number)


def _is_range(number: str) -> bool:
    """True for years such as 1990-2000, and for round numbers such as 1200-1250 and 2000000-400000."""
    first, _, last = number.partition("-")
    if not (first.isdigit() and last.isdigit()):
        return False
    are_years = len(first) == len(last) == 4 and "1500" <= first < last < "2100"
    ascend = len(first) == len(last) and first < last and first.endswith("0") and last.endswith("0")
    are_thousands = first.endswith("000") and last.endswith("000")
    return are_years or ascend or are_thousands


def _digits(number: str) -> int:
    return sum(map(str.isdigit, number))
