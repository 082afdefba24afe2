"""Series selectors as Prometheus writes them, with `$service`, `$environment` and `$version`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from amends.errors import PolicyError
from amends.watch.measurements import Arm, Arms

_NAME = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*")
_MATCHER = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"((?:[^"\\\n]|\\.)*)"\s*')
_VARIABLE = re.compile(r"\$([a-zA-Z_]+)")
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
_EXAMPLE = 'http_requests_total{code=~"5..",method!="HEAD"}'


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; regular expressions match the whole value, an absent label is empty."""

    label: str
    operator: str
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether a series with ``labels`` meets it."""
        found = labels.get(self.label, "")
        if self.operator in ("=", "!="):
            return (found == self.value) is (self.operator == "=")
        return bool(re.fullmatch(self.value, found)) is (self.operator == "=~")

    @property
    def needs_label(self) -> bool:
        """Whether a series without the label fails it."""
        return not self.matches({})


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric's name and conditions on its labels. ``text`` is what it was read from."""

    name: str
    matchers: tuple[Matcher, ...] = ()
    text: str = ""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether a series of this name with ``labels`` is selected."""
        return all(m.matches(labels) for m in self.matchers)

    def named(self, name: str) -> Selector:
        """Return the same conditions on another metric."""
        return replace(self, name=name)

    def missing_label(self, series: Iterable[Mapping[str, str]]) -> str:
        """Return a label that a condition needs and none of ``series`` has: then nothing can ever match.

        Empty if there is none, or no series to tell by.
        """
        known = list(series)
        for matcher in self.matchers:
            if known and matcher.needs_label and not any(matcher.label in labels for labels in known):
                return matcher.label
        return ""

    def __str__(self) -> str:
        inside = ",".join(f'{m.label}{m.operator}"{_escape(m.value)}"' for m in self.matchers)
        return f"{self.name}{{{inside}}}" if inside else self.name


def parse_selector(text: str) -> Selector:
    """Read a selector such as ``http_requests_total{code=~"5..",method!="HEAD"}``.

    Raises
    ------
    PolicyError
        If it is not one; the message quotes it from where it stops making sense.
    """
    name = _NAME.match(text)
    end = name.end() if name else 0
    if name is None or not name.group(1):
        raise _unreadable(text, 0)
    if end == len(text):
        return Selector(name.group(1), (), text)
    if text[end] != "{":
        raise _unreadable(text, end)
    matchers, end = _matchers(text, end + 1)
    if text[end:].strip():
        raise _unreadable(text, end)
    return Selector(name.group(1), matchers, text)


def resolve(text: str, arms: Arms, arm: Arm) -> str:
    """Return ``text`` with `$service`, `$environment` and `$version` (that of ``arm``) filled in.

    Raises
    ------
    PolicyError
        If it names another variable.
    """
    known = {"service": arms.service, "environment": arms.environment, "version": arms.version(arm)}

    def fill(match: re.Match[str]) -> str:
        if match.group(1) not in known:
            raise PolicyError(
                f"{match.group(0)} in {text!r} is none of the variables $service, $environment, $version.",
                remedy="Correct the name; for a dollar before a letter in a regular expression write [$].",
            )
        return _escape(known[match.group(1)])

    return _VARIABLE.sub(fill, text)


def _matchers(text: str, start: int) -> tuple[tuple[Matcher, ...], int]:
    found: list[Matcher] = []
    place = start
    while not text[place:].lstrip().startswith("}"):
        match = _MATCHER.match(text, place)
        if match is None:
            raise _unreadable(text, place)
        found.append(_matcher(match, text))
        place = match.end()
        if text[place : place + 1] == ",":
            place += 1
        elif text[place : place + 1] != "}":
            raise _unreadable(text, place)
    return tuple(found), text.index("}", place) + 1


def _matcher(match: re.Match[str], text: str) -> Matcher:
    label, operator, raw = match.groups()
    value = re.sub(r"\\(.)", lambda m: _ESCAPES.get(m.group(1), m.group(0)), raw)
    if operator in ("=~", "!~"):
        try:
            re.compile(value)
        except re.error as error:
            raise PolicyError(
                f"{value!r} in the selector {text!r} is not a regular expression: {error}.",
                remedy='It has to match the whole value, for example code=~"5..".',
            ) from error
    return Matcher(label, operator, value)


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _unreadable(text: str, place: int) -> PolicyError:
    rest = text[place:] or "its end"
    return PolicyError(
        f"the selector {text!r} cannot be read from {rest!r} on; after a metric's name come conditions "
        "in braces, with =, !=, =~ or !~.",
        remedy=f"Write it like {_EXAMPLE}.",
    )
