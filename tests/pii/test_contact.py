"""Numbers and addresses recognised by the words around them; test_clean_redaction has those recognised by form."""

import pytest

from stages import pii


def matches(text: str, kind: str) -> list[str]:
    return [text[span.start : span.end] for span in pii.find(text, [kind], [])]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Call me on 5551234", "5551234"),
        ("tel: 601 123 456", "601 123 456"),
        ("my phone number is 4155550123.", "4155550123"),
        ("WhatsApp 98765 43210", "98765 43210"),
        ("Mobil 12 34 56 78", "12 34 56 78"),
        ("fax no. 555-0123", "555-0123"),
        ("(555-2428)", "555-2428"),
        ("Call Bob (867-5309) today", "867-5309"),
        ('the phone ["867-5309"]', "867-5309"),
        ("my number: “867 5309”", "867 5309"),
        ("(+353 20 915 4482)", "+353 20 915 4482"),
        ('<a href="tel:+442079460321">', "+442079460321"),
        ("phone=4155550123&x=1", "4155550123"),
        ("Landlord reference: (503) 555-0129", "(503) 555-0129"),
        ("1 (800) 555-0187", "1 (800) 555-0187"),
        ("(+48) 605 331 874", "(+48) 605 331 874"),
        ("Zentrale: 040 66969-0", "040 66969-0"),
        ("+1.2025550171", "+1.2025550171"),
        ("its 07700900123", "07700900123"),
        ("Tel gardien 0261910", "0261910"),
        ("Tel (eve): 5551234", "5551234"),
        ("電話番号は03-5550-0123です", "03-5550-0123"),
        ("00353 1 555 0199", "00353 1 555 0199"),
        ("shop's number: 5551234", "5551234"),
        ("call before 2023-01-15: 020 7946 0018", "020 7946 0018"),
    ],
)
def test_a_phone_number_is_found_by_its_form_or_by_words_before_it_in_brackets_and_quotes_too(
    text: str, number: str
) -> None:
    assert matches(text, "phone") == [number]


@pytest.mark.parametrize(
    "text",
    ["Call me about order 2024000123", "call 12345", "the phone costs 1234567", "dial 01.02.2024", "text 20 000 words",
     "telephone and 5551234", "recall 5551234",
     "call him on 2023-01-15", "tel 2023-01-15 22:10", "phone (2023/01/15)", "the call on 20230115", "call 1990-2000",
     "dial 0900-1700", "call 2000000-400000", "ring 1200-1250", "+1234567890.12 EUR", "+0.00000123",
     "ISBN 0-306-40615-2", "order 0012345678", "Ticket #0004512873", "booking reference 020 441 993 77",
     "member number 0417200133", "Passport 0123456789", "x = 0123456789", "0123456789", "the digits 0123456789 and _",
     "01234567890", '"abc", "0123456789",', '"id": "0123456789"', "012345678",
     "0123456789012", "012345678905", "MA 02134-1234", "f(0123456789)",
     "0123456789 + 1", "000-000-0000", "0044-118-277", "04 17 22 31 38 44",
     "06.44.18.20.77-B", "[PHONE] 7654321", "800-555-4417-XL"],
)  # fmt: skip
def test_numbers_of_other_things_stay(text: str) -> None:
    assert matches(text, "phone") == []


@pytest.mark.parametrize("text", ["tel 030 1234567, 7654321", "tel 030 1234567/7654321", "030 1234567 or 7654321"])
def test_a_number_listed_after_a_phone_number_is_one_too(text: str) -> None:
    assert matches(text, "phone") == ["030 1234567", "7654321"]


def test_what_follows_the_code_of_a_country_is_no_national_number() -> None:
    assert [span.kind for span in pii.find("+34 612 345 678", ["national_id", "phone"], ["PT", "NL"])] == ["phone"]


@pytest.mark.parametrize(
    "address", ["jo (at) example.org", "jo[at]example[dot]org", "jo.b (AT) mail.example (dot) org"]
)
def test_an_address_that_is_spelt_out_is_found(address: str) -> None:
    assert matches(f"Write to {address}, please (at once).", "email") == [address]


@pytest.mark.parametrize(
    "text",
    ["npm i react@18.2.0 @types/node@20.1.4-beta.1", "pkg@1.2.3", "@scope/pkg@1.0", "uses: actions/checkout@v4.1.0",
     "golang.org/x/net@v0.17.0", "serde@1.0.200", "next@14.0.0.alpha", "python@3.11", "logo@2x.png 2x", "icon@3x.webp",
     "git clone git@github.com:org/repo.git", "git@git.example.com", "git+ssh://git@github.com/o/r.git",
     "ssh deploy@host.example.com", "ssh -p 22 deploy@host.example.com", "$ ssh-copy-id -i k.pub ann@host.example.com",
     "scp file root@host.example.com:/tmp", "rsync -a x/ ann@host.example.com:~/x", "sftp://ann@host.example.com/x",
     "scp ann@192.168.1.1:/x .", "@app.route", "x = a @ b.T"],
)  # fmt: skip
def test_versions_pictures_and_accounts_on_hosts_are_no_addresses(text: str) -> None:
    assert matches(text, "email") == []


@pytest.mark.parametrize(
    "text",
    [
        "mailto:{}",
        "{}: hello",
        "{}:hello",
        "My ssh key is for {}",
        "ssh-rsa AAAA {}",
        "git commit by <{}>",
        "{}.",
        "{}/x",
    ],
)
@pytest.mark.parametrize(
    "address", ["ann@example.com", "a.b+c@x-y.co.uk", "1@163.com", "ann@2x.de", "jö@bücher.example"]
)
def test_an_address_beside_code_is_found(text: str, address: str) -> None:
    assert matches(text.format(address), "email") == [address]


def test_at_in_brackets_alone_is_no_address() -> None:
    assert matches("We met (at) noon, see [at] 5.", "email") == []
