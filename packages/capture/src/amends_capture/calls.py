"""A decorator that records the calls in which a function fails."""

from __future__ import annotations

from amends_capture import context
from amends_capture.recorder import Raw, Recorder
from amends_capture.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than all of this
    from collections.abc import Awaitable, Callable, Generator
    from typing import Any, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])

_IS_ASYNC_GENERATOR = 0x200
_IS_COROUTINE = 0x80 | 0x100
_IS_GENERATOR = 0x20
_UNCHANGING = frozenset({str, int, float, bool, bytes, type(None)})
_LONGEST_KEY = 200
_SHARED: dict[str, Recorder] = {}


def _capture(
    function: Any = None, *, recorder: Recorder | None = None, predicate: Callable[[Any], bool] | None = None,
    key: Callable[..., str] | None = None, **settings: Any,
) -> Any:  # fmt: skip
    """Record each call that raises, or whose result ``predicate`` calls a failure; and a share of the rest.

    For functions, coroutine functions and generator functions; ``@capture`` or ``@capture(directory=…)``.
    Arguments are copied before the call where they could change during it. Without a recorder or settings all
    functions share one recorder, set by the environment. ``key``, called with the call's arguments, says what
    kind of input it is, in the words by which test suites record theirs. An asynchronous generator function
    is left as it is.
    """
    if function is None:
        return lambda found: _capture(found, recorder=recorder, predicate=predicate, key=key, **settings)
    if type(function) in (classmethod, staticmethod):
        inner = _capture(function.__func__, recorder=recorder, predicate=predicate, key=key, **settings)
        return type(function)(inner)
    if not callable(function):
        return function
    context.is_wanted = True
    watch = _Watch(function, recorder or _recorder(settings), predicate, key)
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    if flags & _IS_ASYNC_GENERATOR:
        return function
    made = (
        watch.coroutine()
        if flags & _IS_COROUTINE
        else watch.generator()
        if flags & _IS_GENERATOR
        else watch.plain()
    )
    from functools import update_wrapper

    return update_wrapper(made, function)


if TYPE_CHECKING:

    @overload
    def capture(function: F) -> F: ...
    @overload
    def capture(
        *,
        recorder: Recorder | None = None,
        predicate: Callable[[Any], bool] | None = None,
        key: Callable[..., str] | None = None,
        **settings: Any,
    ) -> Callable[[F], F]: ...
    def capture(*_: Any, **__: Any) -> Any: ...
else:
    capture = _capture


def _recorder(settings: dict[str, Any]) -> Recorder:
    if settings:
        return Recorder(Settings(**settings))
    return _SHARED.setdefault("", _SHARED.get("") or Recorder(Settings()))


class _Watch:
    """Watches the calls of one function."""

    def __init__(
        self, function: Callable[..., Any], recorder: Recorder, predicate: Callable[[Any], bool] | None,
        key: Callable[..., str] | None,
    ) -> None:  # fmt: skip
        self._function = function
        self._recorder = recorder
        self._predicate = predicate
        self._key = key
        self._path = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"

    def plain(self) -> Callable[..., Any]:
        """Return the function, watched."""

        def watched(*args: Any, **kwargs: Any) -> Any:
            before = self._before(args, kwargs)
            try:
                result = self._function(*args, **kwargs)
            except Exception as error:
                self._failed(before, args, kwargs, error)
                raise
            self._returned(before, args, kwargs, result)
            return result

        return watched

    def coroutine(self) -> Callable[..., Awaitable[Any]]:
        """Return the coroutine function, watched."""

        async def watched(*args: Any, **kwargs: Any) -> Any:
            before = self._before(args, kwargs)
            try:
                result = await self._function(*args, **kwargs)
            except Exception as error:
                self._failed(before, args, kwargs, error)
                raise
            self._returned(before, args, kwargs, result)
            return result

        return watched

    def generator(self) -> Callable[..., Generator[Any, Any, Any]]:
        """Return the generator function, watched; a predicate sees what it returns at its end."""

        def watched(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            before = self._before(args, kwargs)
            try:
                result = yield from self._function(*args, **kwargs)
            except Exception as error:
                self._failed(before, args, kwargs, error)
                raise
            self._returned(before, args, kwargs, result)
            return result

        return watched

    def _before(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
        """Copy the arguments, if the call could change them."""
        for value in args:
            if type(value) not in _UNCHANGING:
                return self._copy(args, kwargs)
        for value in kwargs.values():
            if type(value) not in _UNCHANGING:
                return self._copy(args, kwargs)
        return None

    def _copy(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
        from amends_capture.failures import call_of

        try:
            return call_of(self._function, args, kwargs)
        except Exception:
            self._recorder.stats["errors"] += 1
            return None

    def _failed(
        self, before: dict[str, Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception
    ) -> None:
        try:
            if self._recorder.has_room():
                from amends_capture.failures import exception_of

                self._offer("exception", before, args, kwargs, exception_of(error))
        except Exception:
            self._recorder.stats["errors"] += 1

    def _returned(
        self, before: dict[str, Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> None:
        try:
            why = self._why(result)
            if why and self._recorder.has_room():
                self._offer(why, before, args, kwargs, None)
        except Exception:
            self._recorder.stats["errors"] += 1

    def _why(self, result: Any) -> str:
        if self._predicate is not None and self._predicate(result):
            return "predicate"
        recorder = self._recorder
        return "sample" if recorder.examines() and recorder.samples("call", self._path, 200) else ""

    def _offer(
        self, why: str, before: dict[str, Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any],
        exception: dict[str, Any] | None,
    ) -> None:  # fmt: skip
        raw = Raw("call", why)
        raw.call = before or self._copy(args, kwargs)
        raw.exception = exception
        raw.trace = context.traceparent()
        raw.key = self._key_of(args, kwargs)
        self._recorder.offer(raw)

    def _key_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        if self._key is None:
            return ""
        try:
            return str(self._key(*args, **kwargs))[:_LONGEST_KEY]
        except Exception:
            self._recorder.stats["errors"] += 1
            return ""
