"""Tests of which addresses a call may reach."""

from __future__ import annotations

import pytest

from workflows_app.actions.addresses import AddressRefused, require_allowed

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8", "64:ff9b::808:808"]
NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "::ffff:169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "100.100.100.200",
]
PRIVATE = [
    "10.0.0.1", "172.16.0.1", "172.31.255.255",
    "192.168.0.1", "100.64.0.1", "0.0.0.0", "0.1.2.3", "192.0.0.1", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "fc00::1", "fd12::1", "fec0::1",
    "ff02::1", "::ffff:10.0.0.1", "::ffff:192.168.0.1", "::10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1", "2002:c0a8:1::", "2001:db8::1",
    "100::1",
    "::ffff:0.0.0.0", "::ffff:224.0.0.1", "64:ff9b:1::1", "2001::1",
]  # fmt: skip
LOOPBACK = ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"]


def allow(settings, networks: str) -> None:
    settings.ENV = settings.ENV.model_copy(update={"outbound_allow": networks})


@pytest.fixture(autouse=True)
def _nothing_allowed(settings):
    allow(settings, "")


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_reached(address):
    require_allowed("host", address)


@pytest.mark.parametrize("is_local", [True, False])
@pytest.mark.parametrize("address", [*NEVER, *PRIVATE])
def test_others_may_not_whatever_the_mode(settings, address, is_local):
    settings.IS_LOCAL = is_local
    with pytest.raises(AddressRefused):
        require_allowed("host", address)


@pytest.mark.parametrize("address", LOOPBACK)
def test_loopback_may_be_reached_in_local_mode_only(settings, address):
    settings.IS_LOCAL = True
    require_allowed("localhost", address)
    settings.IS_LOCAL = False
    with pytest.raises(AddressRefused, match="OUTBOUND_ALLOW"):
        require_allowed("localhost", address)


def test_loopback_behind_a_translation_prefix_is_refused_in_server_mode(settings):
    settings.IS_LOCAL = False
    for address in ("64:ff9b::7f00:1", "2002:7f00:1::1"):
        with pytest.raises(AddressRefused):
            require_allowed("host", address)


def test_allowed_networks_may_be_reached(settings):
    allow(settings, "10.0.0.0/8, fd12::/16")
    for address in ("10.1.2.3", "fd12::1", "::ffff:10.1.2.3"):
        require_allowed("inside", address)
    with pytest.raises(AddressRefused, match=r"'inside' \(192.168.0.1\) is not a public address; name its network in OUTBOUND_ALLOW"):
        require_allowed("inside", "192.168.0.1")


@pytest.mark.parametrize("address", NEVER)
def test_metadata_addresses_are_never_reached_even_when_everything_is_allowed(settings, address):
    allow(settings, "0.0.0.0/0, ::/0")
    with pytest.raises(AddressRefused, match="never"):
        require_allowed("metadata", address)
