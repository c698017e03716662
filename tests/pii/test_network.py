"""IP addresses of hosts are found; versions, sections, masks and loopback addresses are not."""

import pytest

from stages import pii


def matches(text: str) -> list[str]:
    return [text[span.start : span.end] for span in pii.find(text, ["ip"], [])]


@pytest.mark.parametrize(
    "address",
    ["192.168.100.200", "8.8.8.8", "10.0.0.1", "203.0.113.7", "2001:db8::1", "fe80::1ff:fe23:4567:890a",
     "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "fd12:3456:789a:1::1", "2607:f0d0:1002:51::4"],
)  # fmt: skip
def test_an_address_is_found_next_to_punctuation(address: str) -> None:
    assert matches(f"from {address}, twice ({address}).") == [address, address]
    assert matches(f"http://{address}/x {address}/24") == [address, address] or ":" in address


def test_the_port_after_an_address_stays() -> None:
    assert matches("at 10.1.2.3:8080") == ["10.1.2.3"]


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1", "0.0.0.0", "255.255.255.0", "224.0.0.1", "::1", "::", "256.1.2.3", "1.2.3", "1.2.3.4.5", "v1.2.3.4",
     "version 1.2.3.4", "Version: 10.0.19041.1", "section 5.5.4.2", "10:30:00", "std::string", "a::b", "f00::bar",
     "00:1A:2B:3C:4D:5E", "1:2:3", "01.02.2024 10:30", "1.299.000.00x"],
)  # fmt: skip
def test_what_is_no_address_of_a_host_stays(text: str) -> None:
    assert matches(f"See {text} now.") == []
