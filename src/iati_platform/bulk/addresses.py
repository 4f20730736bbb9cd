"""Which network addresses may be fetched from: the guard against requests that publishers' URLs aim at our own network.

Applied to the address a connection is really opened to, after name resolution and on every redirect, so neither DNS tricks nor
odd spellings of an address get past it.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

# On top of what `ipaddress` calls not global, whose table differs between Python releases (IANA special-purpose registries).
_SPECIAL: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


def _carried(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, compatible, 6to4, or through a NAT64 gateway."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64 or int(address) >> 32 == 0:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


class AddressGuard:
    """Permits public unicast addresses; `allow` adds networks (an operator's own servers, a test's loopback)."""

    def __init__(self, allow_private: bool = False, allow: Iterable[str] = ()) -> None:
        self._everything = allow_private
        self._allowed: tuple[Network, ...] = tuple(ip_network(text) for text in allow)

    def permits(self, address: str) -> bool:
        """Whether a connection to `address` (as the socket layer writes it, with or without scope) may be opened."""
        if self._everything:
            return True
        try:
            ip = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if any(ip in network for network in self._allowed if network.version == ip.version):
            return True
        if isinstance(ip, IPv6Address):
            carried = _carried(ip)
            if carried is not None:
                return self.permits(str(carried))
        if not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local:
            return False
        return not any(ip in network for network in _SPECIAL if network.version == ip.version)
