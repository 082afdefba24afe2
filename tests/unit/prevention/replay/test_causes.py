from __future__ import annotations

from amends.prevention.replay.causes import group_causes, properties_of, route_of
from amends.prevention.replay.judging import Difference
from amends.prevention.replay.recorded import Recorded
from amends.prevention.replay.report import cause_sentence


def asked(n: int) -> Recorded:
    coupon = (("coupon", "X"),) if n % 4 == 0 else ()
    return Recorded(f"{n}.json", "GET", f"/items/{n}", (("lang", "de" if n % 5 == 0 else "en"), *coupon))


INPUTS = {n: asked(n) for n in range(100)}


def difference(field: str, *requests: int, old: str = "1", new: str = "2") -> Difference:
    return Difference(field, "always", requests, 100, 0.0, 1e-9, 1e-8, old, new)


def test_fields_that_differ_in_the_same_inputs_are_one_cause_with_what_tells_them() -> None:
    mine = tuple(n for n in INPUTS if n % 4 == 0)
    [cause] = group_causes([difference("body.total", *mine), difference("body.tax", *mine[1:])], INPUTS)
    assert [one.field for one in cause.differences] == ["body.total", "body.tax"]
    assert len(cause.depends_on) == 1
    assert "coupon" in cause.depends_on[0]
    assert "25 of 25 such inputs" in cause_sentence(cause)


def test_what_the_path_is_like_may_tell_the_inputs() -> None:
    inputs = {n: Recorded(f"{n}", "GET", f"/items/{'a b' if n % 9 == 1 else 'ab'}{n}") for n in range(100)}
    [cause] = group_causes([difference("status", *(n for n in inputs if n % 9 == 1))], inputs)
    assert cause.depends_on == ("part 2 of the path has blanks",)


def test_two_properties_together_may_tell_what_neither_does() -> None:
    mine = tuple(n for n in INPUTS if n % 20 == 0)
    [cause] = group_causes([difference("body.total", *mine)], INPUTS)
    assert len(cause.depends_on) == 2
    assert (cause.hit, cause.matching) == (5, 5)


def test_another_status_explains_the_body_that_went_with_it() -> None:
    failed, priced = tuple(range(0, 100, 25)), tuple(range(0, 100, 4))
    causes = group_causes(
        [difference("status", *failed), difference("body.id", *failed), difference("body.price", *priced)],
        INPUTS,
    )
    assert [one.head.field for one in causes] == ["status", "body.price"]
    assert [one.field for one in causes[0].differences] == ["status", "body.id"]
    assert not set(causes[1].requests) & set(failed)


def test_what_concerns_everything_or_nothing_in_particular_is_said_so() -> None:
    [everything] = group_causes([difference("body.v", *INPUTS)], INPUTS)
    assert "whatever is asked" in cause_sentence(everything)
    [chance] = group_causes([difference("body.v", 3, 17, 58, 71, 92, 33)], INPUTS)
    assert chance.depends_on == ()


def test_inputs_are_described_by_route_and_by_values_of_any_kind_of_body() -> None:
    assert route_of("/shops/12/items/3fa85f64-5717-4562-b3fc-2c963f66afa6/x") == "/shops/{}/items/{}/x"
    body = b'{"qty": -2, "lines": [{"sku": "\xc3\xa4"}], "gift": null}'
    found = set(
        properties_of(Recorded("a", "POST", "/o", headers=(("content-type", "application/json"),), body=body))
    )
    assert {
        "asked POST /o", "body has gift", "body.gift is null", "body.qty is negative",
        "body.lines[].sku has characters beyond ASCII",
    } <= found  # fmt: skip
    form = Recorded(
        "a",
        "POST",
        "/o",
        headers=(("content-type", "application/x-www-form-urlencoded"),),
        body=b"a=&b=1&b=2",
    )
    assert {"form has a", "form repeats b"} <= set(properties_of(form))
