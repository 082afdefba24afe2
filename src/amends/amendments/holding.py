"""Whether the guard of an active amendment still holds, or was deleted, skipped or weakened since.

A proof speaks of one guard: this test with these assertions, this gate with these parameters. What can be
told without running anything is told here: of a test from its text now and when it became active, and from
its outcome in later suites; of a gate from the policy now. What is not there to read is *unknown*, never
"holds". Somebody who renamed a variable inside an assertion is asked to prove the test once more: one
command, against a guard that may have stopped guarding.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from amends.gates.entry import GateEntry

Holding = Literal["holds", "deleted", "skipped", "weakened", "unknown"]
_SKIPS = {"skip", "skipif", "xfail", "skipIf", "skipUnless", "expectedFailure", "SkipTest", "importorskip"}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a guard, and how that shows."""

    holding: Holding
    reason: str

    @property
    def lapses(self) -> bool:
        """Whether the amendment is to be reopened."""
        return self.holding in ("deleted", "skipped", "weakened")


def judge_test_now(path: str, name: str, before: str | None, now: str | None) -> Finding:
    """Judge a test from its file's text when it was proven and now; ``None``: the file is not there.

    ``name`` is what follows the path in its selector (``TestClass::test_x[param]``), empty for a whole file.
    """
    if now is None:
        return Finding("deleted", f"{path} is not there any more")
    if not path.endswith(".py"):
        same = before is not None and before.strip() == now.strip()
        if same:
            return Finding("holds", f"{path} reads as it did when it was proven")
        return Finding("unknown", f"{path} is no Python, and reads differently: nobody can tell but a proof")
    tree = _parsed(now)
    if tree is None:
        return Finding("unknown", f"{path} cannot be read as Python")
    found = _tests(tree, name)
    if not found:
        return Finding("deleted", f"{path} is there, {name or 'its tests'} is not")
    then = _parsed(before) if before is not None else None
    known = _skips(then, _tests(then, name)) if then is not None else []
    skips = [skip for skip in _skips(tree, found) if skip not in known]
    if skips:
        return Finding("skipped", f"{name or path} is switched off by {skips[0]}")
    return _compared(name or path, _asserts(_tests(then, name)) if then is not None else None, found)


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@dataclass(frozen=True, slots=True)
class _Found:
    """A test function with what stands around it."""

    function: _Function
    parents: tuple[ast.ClassDef, ...] = ()


def _tests(tree: ast.Module, name: str) -> list[_Found]:
    """Return the functions that a selector names: one, all of a class, or all of the file."""
    wanted = [part for part in name.partition("[")[0].split("::") if part]
    found = list(_functions(tree.body, ()))
    if not wanted:
        return found
    return [
        one for one in found
        if [*(parent.name for parent in one.parents), one.function.name][: len(wanted)] == wanted
    ]  # fmt: skip


def _functions(body: Sequence[ast.stmt], parents: tuple[ast.ClassDef, ...]) -> Iterable[_Found]:
    for statement in body:
        if isinstance(statement, _Function) and statement.name.startswith("test"):
            yield _Found(statement, parents)
        elif isinstance(statement, ast.ClassDef):
            yield from _functions(statement.body, (*parents, statement))


def _skips(tree: ast.Module, found: Sequence[_Found]) -> list[str]:
    """Return everything that switches tests off: marks of the file, decorators, calls."""
    nodes: list[ast.stmt | ast.expr] = [
        statement for statement in tree.body
        if isinstance(statement, ast.Expr)
        or (isinstance(statement, ast.Assign) and _names(statement.targets) == {"pytestmark"})
    ]  # fmt: skip
    for one in found:
        for holder in (one.function, *one.parents):
            nodes += holder.decorator_list
        nodes += [part for part in one.function.body if isinstance(part, ast.Expr | ast.Raise | ast.If)]
    return [f"`{ast.unparse(node).splitlines()[0][:80]}`" for node in nodes if _mentions_skip(node)]


def _names(targets: Iterable[ast.expr]) -> set[str]:
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _mentions_skip(node: ast.AST) -> bool:
    return any(
        (isinstance(part, ast.Attribute) and part.attr in _SKIPS)
        or (isinstance(part, ast.Name) and part.id in _SKIPS)
        for part in ast.walk(node)
    )


def _compared(called: str, before: Sequence[str] | None, found: Sequence[_Found]) -> Finding:
    asserted = _asserts(found)
    if not asserted:
        return Finding("weakened", f"{called} asserts nothing")
    if before is None:
        return Finding("unknown", f"{called} asserts something; what it did when proven is not recorded")
    lost = [text for text in before if text not in asserted]
    if lost:
        return Finding("weakened", f"{called} does not assert `{lost[0][:120]}` any more")
    return Finding("holds", f"{called} is there, is not skipped, and asserts what it did when it was proven")


def _asserts(found: Sequence[_Found]) -> list[str]:
    """Return what tests assert, in one spelling. What a ``try`` that swallows it holds does not count."""
    texts: list[str] = []
    for one in found:
        for node in _reached(one.function.body):
            if isinstance(node, ast.Assert) and not _always(node.test):
                texts.append(ast.unparse(node.test))
            elif isinstance(node, ast.Call) and _is_assertion(node):
                texts.append(ast.unparse(node))
    return texts


def _reached(body: Iterable[ast.AST]) -> Iterable[ast.AST]:
    """Yield what may run, without what a ``try`` swallows, what is under ``if False`` or after a return."""
    for node in body:
        if isinstance(node, ast.Try) and any(_swallows(handler) for handler in node.handlers):
            continue
        if isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and not node.test.value:
            continue
        yield node
        yield from _reached(ast.iter_child_nodes(node))
        if isinstance(node, ast.Return):
            return


def _swallows(handler: ast.ExceptHandler) -> bool:
    return not any(isinstance(part, ast.Raise) for part in ast.walk(handler))


def _always(test: ast.expr) -> bool:
    return (isinstance(test, ast.Constant) and bool(test.value)) or isinstance(test, ast.Tuple)


def _is_assertion(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name.startswith("assert") or name in ("raises", "fail", "warns")


def judge_gate_now(
    entry: Mapping[str, Any], environment: str, now: Mapping[str, Sequence[GateEntry]]
) -> Finding:
    """Judge a gate from the policy now: its ``gates``, by environment.

    More suites than were proven hold; anything else that differs does not, as nobody has proven that.
    """
    proven = GateEntry.model_validate(dict(entry))
    suites = set(_suites(proven))
    there = [
        one for one in now.get(environment, ())
        if one.kind == proven.kind and (not suites or suites & set(_suites(one)))
    ]  # fmt: skip
    if not there:
        of = f" of {', '.join(sorted(suites))}" if suites else ""
        return Finding("deleted", f"the policy asks {environment} for no gate {proven.kind}{of} any more")
    findings = [_entry_holding(proven, one) for one in there]
    return next((one for one in findings if one.holding == "holds"), findings[0])


def _suites(entry: GateEntry) -> tuple[str, ...]:
    return tuple(getattr(entry.gate, "suites", ()))


def _entry_holding(proven: GateEntry, now: GateEntry) -> Finding:
    called = f"the gate {now.name or now.kind}"
    if now.mode != "block" and proven.mode == "block":
        return Finding("weakened", f"{called} only observes: it holds nothing up")
    if now.when is not None and now.when != proven.when:
        return Finding("weakened", f"{called} applies to less than it did: it got another `when`")
    before = proven.gate.model_dump(mode="json", by_alias=True)
    after = now.gate.model_dump(mode="json", by_alias=True)
    for field, value in before.items():
        if not _as_strong(field, value, after.get(field)):
            reason = f"{called} was proven with {field} {value!r} and has {after.get(field)!r}"
            return Finding("weakened", reason)
    return Finding("holds", f"{called} is in the policy as it was proven")


def _as_strong(field: str, before: Any, after: Any) -> bool:
    if field == "suites" and before and after:
        return set(before) <= set(after)
    return bool(before == after)
