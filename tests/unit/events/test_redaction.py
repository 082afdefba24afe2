"""What counts as a secret, and what must stay readable."""

from __future__ import annotations

import pytest

from amends.events.redaction import MASK, cut, redact, redact_value

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Authorization: Bearer abcDEF123456789", "abcDEF123456789"),
        ("curl -H 'authorization: Basic dXNlcjpwYXNz'", "dXNlcjpwYXNz"),
        ("{'Cookie': 'sid=0123; theme=dark'}", "0123"),
        ("postgresql://shop:hunter2@db:5432/shop", "hunter2"),
        ("DB_PASSWORD=hunter2 pytest", "hunter2"),
        ('{"api_key": "hunter2", "n": 1}', "hunter2"),
        ("clientSecret: 'hun\\'ter2'", "ter2"),
        ("password = 'two words'", "words"),
        ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
        ("ghp_" + "a1" * 18, "a1a1"),
        ("glpat-abcdefghij0123456789", "abcdefghij"),
        ("xoxb-1234567890-abcdef", "1234567890"),
        ("sk_live_abcdefghijklmnop", "abcdefghijklmnop"),
        (f"got {JWT}!", "dozjgNryP4"),
        (f"before {PEM} after", "MIIEow"),
        ("cut short: " + PEM[:50], "MIIEow"),
        ("amends_" + "x" * 43, "xxxx"),
    ],
)
def test_secrets_are_masked_and_masking_again_changes_nothing(text: str, secret: str) -> None:
    masked = redact(text)
    assert secret not in masked
    assert MASK in masked
    assert redact(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "ZeroDivisionError: division by zero in shop/pricing.py:share",
        "assert 'tokens' in page",
        "KeyError: 'password'",
        "GET https://shop.example/quote?items=3 -> 500",
        "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "the secretary signed",
    ],
)
def test_what_explains_a_failure_stays(text: str) -> None:
    assert redact(text) == text


def test_a_json_value_is_masked_by_name_and_by_shape() -> None:
    value = {
        "user": {"passWord": "hunter2", "X-Auth-Token": ["a", "b"], "name": "x"},
        "log": ["token=abc123", 5],
        "secret": "",
    }
    assert redact_value(value) == {
        "user": {"passWord": MASK, "X-Auth-Token": MASK, "name": "x"},
        "log": [f"token={MASK}", 5],
        "secret": "",
    }


def test_cut_keeps_both_ends_and_says_so() -> None:
    text = cut("a" * 100 + "b" * 100, 20)
    assert text == f"{'a' * 10}\n[... 180 characters left out ...]\n{'b' * 10}"
