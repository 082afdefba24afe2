"""No audience reads a secret or a person's name; none but the team reads an internal host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amends.events.payloads.notices import AudienceKind
from amends.reviews.audiences.redaction import redactor

ALL: tuple[AudienceKind, ...] = ("team", "leadership", "dependants", "customers")
BEYOND_THE_TEAM = ALL[1:]
ours = redactor(
    hosts=["shop.example.net"], public_hosts=["status.example.com"],
    names=["dreyes", "Dana Reyes", "p-x"], words={"shop-team", "Checkout", "shop"},
)  # fmt: skip

SECRETS = {
    "password=hunter22 was in the log": "hunter22",
    "the token ghp_abcdefghijklmnopqrstuvwxyz0123456789 leaked": "ghp_abc",
    "Authorization: Bearer abcdefghijklmnop123456": "abcdefghijklmnop",
    "postgres://app:s3cretpw@db/x": "s3cretpw",
    "key AKIAABCDEFGHIJKLMNOP": "AKIAABCDEFGHIJKLMNOP",
}
PERSONS = {
    "dreyes rolled it back": "dreyes",
    "it was Dana Reyes who looked": "Reyes",
    "asked Mikołaj Żak about it": "Żak",
    "paged Priya Natarajan at noon": "Priya",
    "Tomás deployed it": "Tomás",
    "Jean-Luc Moreau should look": "Moreau",
    "thanks to @kim-42": "kim-42",
    "write to kim@example.org": "kim@example.org",
    "reviewed by Ludwig van Beethoven": "Beethoven",
    "the author p-8f3k2m1x": "p-8f3k2m1x",
    "Signed-off-by: Ada Lovelace": "Lovelace",
}
HOSTS = {
    "db01:5432 refused": "db01",
    "see https://grafana.corp/d/abc?x=1": "grafana.corp",
    "orders.svc.cluster.local timed out": "cluster.local",
    "10.2.30.4 was slow": "10.2.30.4",
    "connect to 192.168.1.20:8080 failed": "192.168.1.20",
    "fe80::1ff:fe23:4567:890a answered": "fe80",
    "pod shop-7d9f8b6c54-x2x9z died": "x2x9z",
    "edge.shop.example.net was down": "shop.example.net",
    "http://localhost:9090/graph": "localhost",
    "node ip-10-1-2-3 left": "ip-10-1-2-3",
    "build.internal:8443 is full": "build.internal",
}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("text", "secret"), SECRETS.items())
def test_no_audience_reads_a_secret(kind: AudienceKind, text: str, secret: str) -> None:
    assert secret not in ours.clean(text, kind)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(("text", "name"), PERSONS.items())
def test_no_audience_reads_a_name(kind: AudienceKind, text: str, name: str) -> None:
    assert name not in ours.clean(text, kind)


@pytest.mark.parametrize("kind", BEYOND_THE_TEAM)
@pytest.mark.parametrize(("text", "host"), HOSTS.items())
def test_only_the_team_reads_an_internal_host(kind: AudienceKind, text: str, host: str) -> None:
    assert host not in ours.clean(text, kind)
    assert host in ours.clean(text, "team")


@pytest.mark.parametrize(
    "text",
    [
        "Release 1.4.0 of shop had an incident in production at 2026-03-24 15:22:26 UTC.",
        "errors: 28 of 2,250 requests, against 7 of 2,250; 1.2% against 0.31%, ×1.1 with 99% confidence.",
        "Checkout was slow. The team rolled it back. Customers found it on Monday.",
        "The watch caught it at step 1 with Prometheus, by 12:30:05.",
        "Release 3f2a9c81d04e of shop-team was let past soak.",
    ],
)
@pytest.mark.parametrize("kind", ALL)
def test_what_says_nothing_private_stays_as_it_is(kind: AudienceKind, text: str) -> None:
    assert ours.clean(text, kind) == text


def test_colleagues_read_outside_hosts_and_customers_only_declared_ones() -> None:
    text = "https://vendor.example.org/outage and https://status.example.com/x, see src/shop/price.py"
    assert ours.clean(text, "leadership") == text
    told = ours.clean(text, "customers")
    assert "https://status.example.com/x" in told
    assert "vendor" not in told
    assert "price.py" not in told


def test_customers_read_no_path() -> None:
    assert "/srv/app" not in ours.clean("the file /srv/app/shop/price was wrong", "customers")


_pieces = st.sampled_from([*SECRETS, *PERSONS, *HOSTS, "and then", "\n", "(", ")", "`", "a: b", "|"])


@given(st.lists(st.one_of(_pieces, st.text(max_size=20)), max_size=8).map(" ".join), st.sampled_from(ALL))
def test_cleaning_twice_is_cleaning_once(text: str, kind: AudienceKind) -> None:
    once = ours.clean(text, kind)
    assert ours.clean(once, kind) == once
