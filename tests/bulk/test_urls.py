"""Cleaning addresses, and which network addresses may be opened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iati_platform.bulk.addresses import AddressGuard
from iati_platform.bulk.urls import BadUrl, clean_url, host_of, redirect_target


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("https://example.org/a.xml", "https://example.org/a.xml"),
        ("  https://example.org/a.xml\n", "https://example.org/a.xml"),
        ("\ufeffhttps://example.org/a.xml\u200b", "https://example.org/a.xml"),
        ("HTTP://Example.ORG", "http://example.org/"),
        ("https://example.org/a b/ü.xml", "https://example.org/a%20b/%C3%BC.xml"),
        ("https://example.org/a%20b%2Fc.xml", "https://example.org/a%20b%2Fc.xml"),
        ("https://example.org/100%/a.xml", "https://example.org/100%25/a.xml"),
        ("https://example.org/a.xml?x=1&y=ö z#part", "https://example.org/a.xml?x=1&y=%C3%B6%20z"),
        ("https://example.org/a\n.xml", "https://example.org/a.xml"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example/a"),
        ("https://EXAMPLE.org:8443/a", "https://example.org:8443/a"),
        ("http://[2001:DB8::1]:80/a", "http://[2001:db8::1]:80/a"),
        ("https://user:p%40ss@example.org/a", "https://user:p%40ss@example.org/a"),
    ],
)
def test_clean(raw: str, clean: str) -> None:
    assert clean_url(raw) == clean
    assert clean_url(clean) == clean


@pytest.mark.parametrize(
    "raw",
    ["", " ", "example.org/a.xml", "/a.xml", "ftp://example.org/", "file:///etc/passwd", "javascript:1", "http://", "http:///a",
     "http://exa mple.org/", "http://example.org:0/", "http://example.org:99999/", "http://example.org:x/", "http://[::1/",
     "http://ex%61mple.org/", "https://" + "a" * 9000],
)  # fmt: skip
def test_unusable(raw: str) -> None:
    with pytest.raises(BadUrl) as refused:
        clean_url(raw)
    assert str(refused.value).endswith(".")


@given(st.text(max_size=60))
def test_what_is_clean_is_ascii_without_blanks_and_stays_clean(text: str) -> None:
    for raw in (text, f"https://example.org/{text}", f"http://{text}/"):
        try:
            clean = clean_url(raw)
        except BadUrl:
            continue
        assert clean.isascii()
        assert clean.isprintable()
        assert " " not in clean
        assert clean.startswith(("http://", "https://"))
        assert clean_url(clean) == clean


def test_redirect_targets() -> None:
    assert redirect_target("https://a.example/x/y.xml", "z.xml") == "https://a.example/x/z.xml"
    assert redirect_target("https://a.example/x", "//b.example/y z") == "https://b.example/y%20z"
    assert redirect_target("https://a.example/x", "http://b.example") == "http://b.example/"
    with pytest.raises(BadUrl):
        redirect_target("https://a.example/x", "ftp://b.example/")
    with pytest.raises(BadUrl):
        redirect_target("https://a.example/x", "http://[::1")


def test_hosts_are_counted_with_their_port() -> None:
    assert host_of("https://example.org/a") == "example.org:443"
    assert host_of("http://example.org/a") == "example.org:80"
    assert host_of("http://example.org:8080/a") == "example.org:8080"


PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8"]
PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1",
    "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::", "2002:7f00:1::", "fc00::1", "fd12::1",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "3fff::1", "", "nonsense", "1.2.3",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_permitted(address: str) -> None:
    assert AddressGuard().permits(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_all_others_are_not(address: str) -> None:
    assert not AddressGuard().permits(address)


def test_exceptions_are_exact() -> None:
    guard = AddressGuard(allow=["127.0.0.1/32", "fd12::/16"])
    assert [guard.permits(address) for address in ("127.0.0.1", "::ffff:127.0.0.1", "fd12::9", "127.0.0.2", "10.0.0.1")] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert all(AddressGuard(allow_private=True).permits(address) for address in PRIVATE)
