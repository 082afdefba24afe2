"""Options that many commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

StoreOption = Annotated[
    str,
    typer.Option(
        "--store", envvar="AMENDS_STORE", metavar="PATH|URL",
        help="The log: a file, postgresql://… or https://server. Default: .amends/log.db",
    ),
]  # fmt: skip

PolicyOption = Annotated[
    str,
    typer.Option(
        "--policy", envvar="AMENDS_POLICY", metavar="FILE", help="The policy. Default: amends.yaml"
    ),
]  # fmt: skip


class Format(StrEnum):
    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="How to print the answer.")]
