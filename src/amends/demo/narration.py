"""How the story is told: sections, commands as a user would type them, and claims with their evidence."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console


class StoryError(Exception):
    """A step of the story did not really happen."""


@dataclass
class Narrator:
    """Prints the story. Plain text when the output is not a terminal.

    ``link`` is the server's address once there is one: claims then carry links to their pages.
    """

    console: Console
    link: str = ""
    began: float = field(default_factory=time.monotonic)
    claims: list[tuple[str, str]] = field(default_factory=list)

    def title(self, text: str) -> None:
        self.console.print()
        self.console.rule(f"[bold]{text}", align="left", style="dim")

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True)

    def command(self, words: Sequence[str]) -> None:
        """Show a command as a user would type it."""
        line = "amends " + shlex.join(words)
        self.console.print(f"[bold cyan]$[/] [cyan]{_escape(line)}[/]", highlight=False, soft_wrap=True)

    def output(self, text: str) -> None:
        """Show what a command printed, indented, without the lines that only list ids."""
        for line in text.rstrip().splitlines():
            if line.lstrip().startswith(_ID_LISTS):
                continue
            self.console.print("  " + _escape(line), highlight=False, soft_wrap=True)

    def claim(self, text: str, event: str, page: str = "") -> None:
        """State that something happened, with the id of the event that shows it."""
        if not event:
            raise StoryError(f"no event in the log shows that {text}")
        self.claims.append((text, event))
        where = f"  [dim]{self.link}{page}[/]" if self.link and page else ""
        self.console.print(
            f"[green]✓[/] {_escape(text)}  [dim]event {event[:8]}[/]{where}", highlight=False, soft_wrap=True
        )

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show that something takes a while."""
        if self.console.is_terminal:
            with self.console.status(text):
                yield
        else:
            self.console.print(f"  … {text}", highlight=False, soft_wrap=True)
            yield

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.began


_ID_LISTS = ("events:", "evidence:")


def _escape(text: str) -> str:
    return text.replace("[", "\\[")
