"""A mask has the form of what it hides."""

from __future__ import annotations

import base64
import json
import uuid

import pytest

from amends_capture.redaction.masking import Masker, is_card, is_iban
from amends_capture.redaction.names import Names
from amends_capture.redaction.texts import Texts, is_opaque

MASKER = Masker(b"k" * 32)


def texts(**more: list[str]) -> Texts:
    return Texts(Masker(b"k" * 32), Names(**more))


@pytest.mark.parametrize(
    "value", ["hunter2", "Zoë-Ångström 9", "日本語のパスワード", "пароль7", "a b\tc\n1!"]
)
def test_each_character_is_another_of_its_class(value: str) -> None:
    made = MASKER.mask(value)
    assert len(made) == len(value)
    assert len(made.encode()) == len(value.encode())
    for one, other in zip(value, made, strict=True):
        assert (one.isdigit(), one.isupper(), one.islower()) == (
            other.isdigit(),
            other.isupper(),
            other.islower(),
        )
        assert (one != other) or not one.isalnum()


@pytest.mark.parametrize("value", ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"])
def test_a_card_stays_a_card(value: str) -> None:
    made = MASKER.mask(value)
    assert made != value
    assert is_card(made)
    assert [c for c in made if not c.isdigit()] == [c for c in value if not c.isdigit()]


def test_other_forms_stay_what_they_are() -> None:
    assert is_iban(MASKER.mask("DE89 3704 0044 0532 0130 00"))
    assert MASKER.mask("ghp_0123456789abcdefghij0123456789abcdef").startswith("ghp_")
    assert MASKER.mask("jo.doe+x@mail.example.org").endswith(".org")
    assert uuid.UUID(MASKER.mask("0191d8a0-7f3c-7b1e-9c55-1f0b7a2c9d10")).version == 7
    assert int(MASKER.mask("0xdeadbeef00"), 16) > 0
    assert MASKER.mask("postgres://shop:pw9@db.local:5432/x").startswith("postgres://")


def test_a_json_web_token_still_says_when_it_ends() -> None:
    claims = base64.urlsafe_b64encode(b'{"sub":"alice","exp":1900000000,"admin":true}').decode().rstrip("=")
    made = MASKER.mask(f"eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl").split(".")
    read = json.loads(base64.urlsafe_b64decode(made[1] + "=="))
    assert made[0] == "eyJhbGciOiJIUzI1NiJ9"
    assert (read["exp"], read["admin"], len(read["sub"])) == (1_900_000_000, True, 5)
    assert read["sub"] != "alice"


def test_numbers_keep_their_digits() -> None:
    assert [len(str(MASKER.number(n))) for n in (7, 1000, -123456)] == [1, 4, 7]
    assert is_card(str(MASKER.number(4111111111111111)))


@pytest.mark.parametrize(
    "text",
    ["getUserAccountSettingsById2", "internationalization-of-things-2024",
     "0191d8a0-7f3c-7b1e-9c55-1f0b7a2c9d10",
     "20261123T203000Z20261123", "test_a_long_name_of_a_test_case_1"],
)  # fmt: skip
def test_names_and_ids_are_not_opaque(text: str) -> None:
    assert not is_opaque(text)


@pytest.mark.parametrize("text", ["h7Gk2LpQ9xZ4vB1nM8sD", "9f86d081884c7d659a2feaa0c55ad015"])
def test_random_runs_are_opaque(text: str) -> None:
    assert is_opaque(text)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password=hunter2 for jo", "hunter2"),
        ("{'api_key': 'abc', 'n': 1}", "abc"),
        ("Authorization: Bearer abcdef", "abcdef"),
        ("Cookie: sid=abcd1; theme=dark", "abcd1"),
        ("password is s3cret", "s3cret"),
        ("token 'letmein' refused", "letmein"),
        ("postgres://shop:pw@db/x", ":pw@"),
        ("DB_PASSWORD=>'x\\'y'", "x\\'y"),
        ("<a><password>hunter2</password></a>", "hunter2"),
        ("<s:pin kind='n'><![CDATA[hunter2]]></s:pin>", "hunter2"),
    ],
)
def test_a_name_tells_what_is_secret_in_a_text(text: str, secret: str) -> None:
    made = texts().redact(text)
    assert secret not in made
    assert len(made) == len(text)


def test_what_stands_for_a_character_in_xml_goes_on_doing_so() -> None:
    made = texts().redact("<password>hun&amp;ter&lt;2</password>")
    assert "hun" not in made
    assert [mark in made for mark in ("&amp;", "&lt;")] == [True, True]


@pytest.mark.parametrize(
    "text",
    ["<password/><name>anna</name>", "<max_tokens>100</max_tokens>",
     "max_tokens=4096", "unexpected token '<' at 3", "invalid literal for int() with base 10: '12a'",
     "KeyError: 'passwords'",
     "list index out of range", "pin the version", "2026-11-23T20:30:00Z", "1/0 on /orders/12345"],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert texts().redact(text) == text


def test_names_can_be_added_and_taken_away() -> None:
    named = Names(added=["shoe_size"], kept=["email"])
    assert named.is_secret("shoeSize")
    assert not named.is_secret("email")
