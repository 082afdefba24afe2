"""The part ``replay`` of a policy: what a replay compares, what it leaves aside, and how hard it asks."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from amends.gates.shape import Duration, Strict

COMPARED_HEADERS = (
    "allow", "cache-control", "content-disposition", "content-language", "content-type", "location", "vary",
    "www-authenticate",
)  # fmt: skip
ENOUGH = 150
"""Inputs by which a change that touches 2% of them is met with a probability of 95%."""


class Replacement(Strict):
    """What matches ``pattern`` in the values of a field is replaced before values are compared."""

    field: str = Field(default="**", min_length=1, description="a field, with * and **")
    pattern: str = Field(min_length=1, description="a regular expression")
    by: str = Field(default="", alias="with", description="what stands there instead")

    @model_validator(mode="after")
    def _compiles(self) -> Self:
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"the pattern is no regular expression: {error}") from None
        return self


class Replay(Strict):
    """How recorded requests are replayed and their replies compared: `amends replay`.

    A field is named as a report names it: ``status``, ``headers.location``, ``body.items[].price``. In a name
    ``*`` stands for anything within one step, ``**`` for anything.
    """

    headers: list[str] = Field(default_factory=lambda: list(COMPARED_HEADERS))
    ignore: list[str] = Field(default_factory=list, description="fields that may differ, and what is in them")
    sort: list[str] = Field(default_factory=list, description="arrays whose order does not matter")
    round: dict[str, int] = Field(default_factory=dict, description="field: decimals that count")
    mask: list[Literal["uuid", "timestamp"]] = Field(default_factory=list)
    replace: list[Replacement] = Field(default_factory=list)
    added_fields: Literal["block", "allow"] = Field(
        default="block", description="whether a field that the baseline never has counts"
    )
    smallest_shift: float = Field(
        default=0.01, ge=0, le=1, description="a noise that grows or shrinks by less does not count"
    )
    at_least: int = Field(default=ENOUGH, ge=1, description="inputs to compare before a replay can pass")
    rate: float = Field(default=20.0, gt=0, le=10_000, description="requests a second, to both together")
    concurrency: int = Field(default=4, ge=1, le=64)
    timeout: Duration = Field(default=10.0, description="how long one reply may take")
