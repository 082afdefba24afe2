"""YAML trees that remember their lines: where a part stands, and its plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq


def line_of(tree: Any, place: Sequence[str | int]) -> int:
    """Return the line, from 1, of the deepest part of a place that the file holds."""
    line, node = 0, tree
    for step in place:
        if isinstance(node, CommentedMap) and step in node:
            line = node.lc.key(step)[0]
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line = node.lc.item(step)[0]
        else:
            break
        node = node[step]
    return int(line) + 1
