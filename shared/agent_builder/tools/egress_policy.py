"""What may be called, as far as an address as it is written tells, and the record of what was refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

import httpx2

from agent_builder.errors import OutboundRefused, RefusalReason
from agent_builder.tools.egress_addresses import Address, is_loopback, is_private, parsed

URL_LIMIT = 8_192
_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_UNCLEAN = re.compile(r"[\x00-\x20\x7f\\]")
# What a resolver of the operating system may read as a number: 0x7f.1, 0177.0.0.1, 2130706433.
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")

# One text for all that depends on what a name stands for, so that nobody can explore a network with it.
NOT_PUBLIC = "This address may not be called: its host is unknown, or has no public internet address."


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that was not made. `host` is empty where the URL could not be read."""

    reason: RefusalReason
    purpose: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What a tenant's tools may call.

    Attributes:
        allow: Where not empty, only these: `example.com`, `*.example.com` (its subdomains), or networks like
            `198.41.0.0/24`. They open nothing that is not public.
        deny: Never these.
        ports: Of all hosts, but for loopback and private networks, where they are allowed.
        allow_loopback: Whether this machine may be called: for development, never in a deployment.
        allow_private: Whether this machine and private networks may be called, and plain http be used with secrets: for
            model servers of a person on a machine of their own.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    ports: frozenset[int] = frozenset({80, 443})
    allow_loopback: bool = False
    allow_private: bool = False

    def check(self, url: httpx2.URL, *, secret: bool) -> None:
        """Refuse what can be refused before a name is looked up.

        Args:
            url: Where the call goes.
            secret: Whether it carries a secret, which only TLS may carry.

        Raises:
            OutboundRefused: `reason` says why.
        """
        if url.scheme not in _DEFAULT_PORTS:
            raise OutboundRefused("scheme", "Only http and https addresses can be called.")
        if url.userinfo:
            raise OutboundRefused("url", "An address must not contain a user name or password; use a credential.")
        host, local = host_of(url), self._names_loopback(url)
        if parsed(host) is None and not _is_name(host):
            raise OutboundRefused("url", "The address names no valid host.")
        if port_of(url) not in self.ports and not local and not self.allow_private:
            raise OutboundRefused("port", f"Port {port_of(url)} may not be called.")
        if secret and url.scheme != "https" and not local and not self.allow_private:
            raise OutboundRefused("insecure", "A call with a credential needs an https address.")
        if among(host, self.deny):
            raise OutboundRefused("denied", "This host is on the list of hosts that may not be called.")
        if self.allow and not among(host, self.allow) and not _networks(self.allow):
            raise OutboundRefused("not_allowed", _NOT_ALLOWED)

    def opens(self, address: Address) -> bool:
        """Whether an address that is not public may be called all the same, on any port."""
        return (self.allow_loopback and is_loopback(address)) or (self.allow_private and is_private(address))

    def check_addresses(self, host: str, addresses: Iterable[Address]) -> None:
        """Apply lists that name networks, once the addresses of a host are known.

        Raises:
            OutboundRefused: One of them is denied, or neither host nor all addresses are allowed.
        """
        addresses = tuple(addresses)
        denied, allowed = _networks(self.deny), _networks(self.allow)
        if any(address in network for address in addresses for network in denied):
            raise OutboundRefused("denied", "This host is on the list of hosts that may not be called.")
        if not self.allow or among(host, self.allow):
            return
        if not all(any(address in network for network in allowed) for address in addresses):
            raise OutboundRefused("not_allowed", _NOT_ALLOWED)

    def _names_loopback(self, url: httpx2.URL) -> bool:
        """Whether the URL says loopback in so many words, and that is allowed."""
        host = host_of(url)
        address = parsed(host)
        named = host == "localhost" or host.endswith(".localhost")
        return self.allow_loopback and (named or (address is not None and is_loopback(address)))


_NOT_ALLOWED = "This host is not on the list of hosts that may be called."


def read_url(text: str) -> httpx2.URL:
    """The one reading of an address: what is checked is what is called.

    Raises:
        OutboundRefused: It is none, or could be read in two ways.
    """
    if len(text) > URL_LIMIT or _UNCLEAN.search(text):
        raise OutboundRefused("url", "The address is too long, or contains spaces, backslashes or control characters.")
    try:
        return httpx2.URL(text).copy_with(fragment=None)
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise OutboundRefused("url", "The address is not a valid URL.") from None


def host_of(url: httpx2.URL) -> str:
    """The host in lower case, without the dot that may stand at its end."""
    return url.raw_host.decode("ascii").lower().rstrip(".")


def port_of(url: httpx2.URL) -> int:
    """The port, also where it is left out; 0 for a scheme that has none."""
    return _DEFAULT_PORTS.get(url.scheme, 0) if url.port is None else url.port


def same_origin(before: httpx2.URL, after: httpx2.URL) -> bool:
    """Whether a credential for one may be sent to the other: same place, or the same by https on the usual ports."""
    if host_of(before) != host_of(after):
        return False
    upgraded = (before.scheme, port_of(before), after.scheme, port_of(after)) == ("http", 80, "https", 443)
    return upgraded or (before.scheme == after.scheme and port_of(before) == port_of(after))


def _is_name(host: str) -> bool:
    if len(host) > 253 or not _HOST.fullmatch(host):
        return False
    return not _NUMBER.fullmatch(host.rpartition(".")[2])


def among(host: str, rules: tuple[str, ...]) -> bool:
    """Whether a host is one of these, or below one that is written `*.example.com`."""
    return any(host.endswith(rule[1:]) if rule.startswith("*.") else host == rule for rule in rules)


def _network(rule: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(rule, strict=False)
    except ValueError:
        return None


def _networks(rules: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [network for network in map(_network, rules) if network is not None]
