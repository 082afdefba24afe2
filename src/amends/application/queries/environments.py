"""The order of environments, as policies in the log state it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

_USUAL = ("dev", "development", "test", "integration", "qa", "staging", "preproduction", "production")


@lru_cache(maxsize=256)
def environments_of(text: str) -> tuple[str, ...]:
    """Return the environments that a policy's text lists; none when it is not one."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        found = YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return ()
    listed = found.get("environments") if isinstance(found, dict) else None
    return tuple(str(name) for name in listed) if isinstance(listed, list) else ()


def in_order(names: Iterable[str], stated: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """Return all names, those of the policies included, in the order in which a release meets them.

    The first policy that names two environments decides their order; the others follow in the usual order of
    such names, unknown ones before production.
    """
    order: list[str] = []
    for listed in stated:
        place = 0
        for name in listed:
            if name in order:
                place = max(place, order.index(name) + 1)
            else:
                order.insert(place, name)
                place += 1
    rest = sorted(set(names) - set(order) - {""}, key=lambda n: (_rank(n), n))
    for name in rest:
        place = next((i for i, known in enumerate(order) if _rank(known) > _rank(name)), len(order))
        order.insert(place, name)
    return tuple(order)


def _rank(name: str) -> int:
    return _USUAL.index(name) if name in _USUAL else _USUAL.index("staging")
