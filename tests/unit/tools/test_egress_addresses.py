"""The addresses that no tool may reach, and those that it must."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_builder.tools.egress_addresses import is_loopback, is_public, parsed

PRIVATE = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.254 127.0.0.1 127.0.0.53 127.255.255.254
168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 169.254.170.23 169.254.79.129 169.254.100.1 172.16.0.1
172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.170 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255 198.18.0.1
198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::2 ::127.0.0.1 ::169.254.169.254 ::ffff:0.0.0.0 ::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254
::ffff:a9fe:a9fe ::ffff:0:127.0.0.1 ::ffff:0:8.8.8.8 64:ff9b::10.0.0.1 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254
64:ff9b:1::1 64:ff9b:1::8.8.8.8 100::1 100:0:0:1::1 2001::1 2001:0:53aa:64c:0:0:0:1 2001:2::1 2001:10::1 2001:20::1
2001:db8::1 2002:7f00:1:: 2002:a9fe:a9fe:: 2002:c0a8:1:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fd00::1 fdff::1 fe80::1
fe80::a9fe:a9fe fec0::1 ff02::1 ff0e::1 2a00:1450::5efe:127.0.0.1 2a00:1450::200:5efe:10.0.0.1 2001:4860::5efe:a9fe:a9fe
4000::1 e000::1
""".split()

PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 93.184.215.14 100.63.255.255 100.128.0.1 169.253.255.255 172.15.255.255
172.32.0.1 192.0.1.1 192.167.255.255 198.17.255.255 198.20.0.1 223.255.255.255 2001:4860:4860::8888 2606:4700:4700::1111
2600:1f18::1 2a00:1450:4001:80b::200e 2620:fe::fe ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1 2400:cb00::1
""".split()


@pytest.mark.parametrize("text", PRIVATE)
def test_is_refused(text: str) -> None:
    address = parsed(text)
    assert address is not None and not is_public(address)


@pytest.mark.parametrize("text", PUBLIC)
def test_passes(text: str) -> None:
    address = parsed(text)
    assert address is not None and is_public(address)


@pytest.mark.parametrize(
    "text", ["fe80::1%eth0", "2606:4700::1%1", "127.1", "0x7f.0.0.1", "2130706433", "017700000001"]
)
def test_is_no_plain_writing(text: str) -> None:
    assert parsed(text) is None


@pytest.mark.parametrize("text", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_is_this_machine(text: str) -> None:
    address = parsed(text)
    assert address is not None and is_loopback(address)


@given(st.ip_addresses(v=4))
def test_a_private_address_is_private_in_every_writing(inner: ipaddress.IPv4Address) -> None:
    number, plain = int(inner), is_public(inner)
    for carrier in (0xFFFF << 32 | number, 0x64_FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert is_public(ipaddress.IPv6Address(carrier)) == plain
    for carrier in (number, 0xFFFF << 48 | number, 0x2A00_1450 << 96 | 0x5EFE << 32 | number):
        assert not is_public(ipaddress.IPv6Address(carrier))
