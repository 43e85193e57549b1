"""Which network addresses belong to the public internet.

IPv4 is public but for the special ranges below; IPv6 is refused but for the range that is given out publicly, less the
special ranges in it. An address that carries an IPv4 address inside it is as public as that one. The ranges are those
of IANA's special-purpose registries, and the few addresses at which clouds answer their own machines. They are written
down here because the standard library's idea of them differs between Python versions, and misses some.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address

_SPECIAL_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure answers its machines here
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_PRIVATE = tuple(
    ip_network(text) for text in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
_PUBLIC_V6 = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # Teredo, benchmarking, ORCHID and others
        "2001:db8::/32",
        "3fff::/20",
    )
)
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_ISATAP = (0x00005EFE, 0x02005EFE)


def parsed(text: str) -> Address | None:
    """The address that this is a plain writing of; None for a name, or an address with a zone."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return None if isinstance(address, IPv6Address) and address.scope_id is not None else address


def is_public(address: Address) -> bool:
    """Whether a packet to it leaves for the public internet, and nowhere else."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    inner = _carried(address)
    if inner is not None:
        return is_public(inner)
    if address not in _PUBLIC_V6 or any(address in network for network in _SPECIAL_V6):
        return False
    return (int(address) >> 32) & 0xFFFFFFFF not in _ISATAP


def is_loopback(address: Address) -> bool:
    """Whether it is this very machine."""
    if isinstance(address, IPv6Address) and address in _MAPPED:
        address = _last_bits(address)
    return address.is_loopback


def is_private(address: Address) -> bool:
    """Whether it is this very machine, or one on a network of a home or a company. No link: clouds answer there."""
    if isinstance(address, IPv6Address) and address in _MAPPED:
        address = _last_bits(address)
    return address.is_loopback or any(address in network for network in _PRIVATE if network.version == address.version)


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a translator would send it on to."""
    if address in _MAPPED or address in _NAT64:
        return _last_bits(address)
    return IPv4Address(int(address) >> 80 & 0xFFFFFFFF) if address in _SIX_TO_FOUR else None


def _last_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFFFFFF)
