"""Which addresses an outbound call may reach: public ones, what OUTBOUND_ALLOW names, loopback in local mode."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Link-local and the places where clouds answer with their machine's credentials: never, whatever the settings say.
NEVER = tuple(map(ipaddress.ip_network, ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32")))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Exception):
    """The target is an address that calls may not reach; the message says what would allow it."""


def require_allowed(host: str, address: str) -> None:
    """Raise AddressRefused unless the address, and every IPv4 address hidden in it, may be reached."""
    for meant in _meant(ipaddress.ip_address(address.partition("%")[0])):
        if not _is_allowed(meant):
            raise AddressRefused(_refusal(host, meant))


def _meant(address: Address) -> Iterator[Address]:
    """The address and the IPv4 ones it stands for: mapped, 6to4, Teredo, NAT64."""
    yield address
    if isinstance(address, ipaddress.IPv6Address):
        hidden = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
        yield from (found for found in hidden if found is not None)
        if address in _NAT64:
            yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _is_allowed(address: Address) -> bool:
    if any(address in network for network in NEVER):
        return False
    if any(address in network for network in settings.ENV.outbound_networks):
        return True
    if _is_loopback(address):
        return bool(settings.IS_LOCAL)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped or address in _NAT64:
            return True  # the address it stands for is judged by itself
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _is_loopback(address: Address) -> bool:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _refusal(host: str, address: Address) -> str:
    where = f"'{host}'" if host == str(address) else f"'{host}' ({address})"
    if any(address in network for network in NEVER):
        return f"{where} is a link-local or metadata address, which calls never reach"
    return f"{where} is not a public address; name its network in OUTBOUND_ALLOW if calls may reach it"
