from __future__ import annotations

from pathlib import Path

import pytest

from amends.adapters.deployers.output import presentable, read_ends


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password=hunter22", "hunter22"),
        ('{"api_key": "abc123def"}', "abc123def"),
        ("Authorization: Bearer eyJhbGciOi.xyz", "eyJhbGciOi"),
        ("postgresql://shop:s3cr3t@db/shop", "s3cr3t"),
        ("got ghp_0123456789abcdefghijABCDEFGHIJ", "ghp_"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("DB_PASSWD: hunter22", "hunter22"),
        ("connected with opensesame", "opensesame"),
    ],
)
def test_secrets_are_masked(text: str, secret: str) -> None:
    assert secret not in presentable(text, env={"SHOP_TOKEN": "opensesame"})


@pytest.mark.parametrize(
    "text", ["tokens are counted", "http://localhost:8080/a@b", "no password given", "1.2.0 ready"]
)
def test_ordinary_output_is_kept(text: str) -> None:
    assert presentable(text, env={}) == text


def test_long_output_keeps_its_beginning_and_most_of_its_end() -> None:
    kept = presentable("first " + "x" * 5000 + " last", limit=400, env={})
    assert len(kept) < 450
    assert kept.startswith("first")
    assert kept.endswith("last")
    assert "characters left out" in kept


def test_a_secret_at_the_cut_leaves_no_half_behind() -> None:
    kept = presentable("x" * 95 + "opensesame" + "y" * 900, limit=400, env={"KEY_SECRET": "opensesame"})
    assert "opens" not in kept
    assert "esame" not in kept


def test_only_the_ends_of_a_huge_file_are_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("first" + "x" * 10_000 + "last")
    text = read_ends(path, limit=100)
    assert text.startswith("first")
    assert text.endswith("last")
    assert len(text) < 110
