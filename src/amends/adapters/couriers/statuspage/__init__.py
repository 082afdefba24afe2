"""The public status page: static files and an Atom feed (RFC 4287), made anew from every approved statement.

It holds nothing else: no state of a service, no incident without a statement. Files are replaced whole, so
that a reader sees the old page or the new one; doing it twice is the same as once.
"""

from __future__ import annotations

import os
import re
import tempfile
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import nh3
from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

from amends.application.notices.courier import DeliveryError, Handed, Letter
from amends.events.event import format_time
from amends.incidents.wording import say_time
from amends.reviews.audiences.settings import StatusPage
from amends.reviews.notices.statements import Statement

_ATOM = "http://www.w3.org/2005/Atom"
_SPACE = uuid.UUID("2f6a5f1c-42b5-5a0e-8e63-0f4f7a4b9c55")
_MARKDOWN = MarkdownIt("commonmark", {"html": False})
_TAGS = nh3.ALLOWED_TAGS - {"img", "area", "map"}
Published = Callable[[], Sequence[tuple[Statement, ...]]]
"""Gives the approved revisions of every incident that has some, newest incident first."""


class StatusPageCourier:
    """Writes the page's folder. ``load`` gives what is published; ``folder`` is where the files go."""

    def __init__(self, said: StatusPage, folder: Path, organisation: str, load: Published) -> None:
        self._said = said
        self._folder = folder
        self._organisation = organisation or said.title
        self._load = load

    def deliver(self, letter: Letter) -> Handed:
        """See ``Courier.deliver``."""
        if letter.kind != "customers":
            raise DeliveryError("a status page is public, and this is not for customers", final=True)
        try:
            self.write()
        except OSError as error:
            raise DeliveryError(
                f"the status page cannot be written: {error.strerror or error}", remedy="check its folder"
            ) from None
        return Handed(
            reference=f"{self._said.url.rstrip('/')}/#{anchor(letter.topic)}" if self._said.url else ""
        )

    def write(self) -> None:
        """Write every file anew. Raises ``OSError``."""
        published = self._load()
        self._folder.mkdir(parents=True, exist_ok=True)
        source = Path(__file__).parent
        _replace(self._folder / "status.css", (source / "status.css").read_text("utf-8"))
        _replace(self._folder / "feed.atom", self.feed(published))
        _replace(self._folder / "index.html", self.page(published))

    def page(self, published: Sequence[tuple[Statement, ...]]) -> str:
        """Return the page."""
        environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(markdown=_markdown, time=say_time, anchor=anchor, iso=format_time)
        return environment.get_template("status.html").render(
            title=self._said.title, organisation=self._organisation, incidents=published
        )

    def feed(self, published: Sequence[tuple[Statement, ...]]) -> str:
        """Return the feed: an entry for each incident, whose id stays and whose text is the latest."""
        ET.register_namespace("", _ATOM)
        feed = ET.Element(f"{{{_ATOM}}}feed")
        base = self._said.url.rstrip("/")
        updated = max((_approved(own[-1]) for own in published), default=datetime(1970, 1, 1, tzinfo=UTC))
        _add(feed, "id", f"urn:uuid:{uuid.uuid5(_SPACE, base or self._said.title)}")
        _add(feed, "title", self._said.title)
        _add(feed, "updated", format_time(updated))
        _add(_add(feed, "author"), "name", self._organisation)
        if base:
            _add(feed, "link", rel="self", type="application/atom+xml", href=f"{base}/feed.atom")
            _add(feed, "link", rel="alternate", type="text/html", href=f"{base}/")
        for own in published:
            self._entry(feed, own, base)
        return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(feed, encoding="unicode") + "\n"

    def _entry(self, feed: ET.Element, own: tuple[Statement, ...], base: str) -> None:
        latest, entry = own[-1], _add(feed, "entry")
        _add(entry, "id", f"urn:uuid:{uuid.uuid5(_SPACE, f'{base}#{latest.incident}')}")
        _add(entry, "title", latest.title)
        _add(entry, "published", format_time(_approved(own[0])))
        _add(entry, "updated", format_time(_approved(latest)))
        if base:
            _add(entry, "link", rel="alternate", type="text/html", href=f"{base}/#{anchor(latest.incident)}")
        _add(entry, "content", str(_markdown(latest.text)), type="html")


def anchor(topic: str) -> str:
    """Return the fragment under which an incident stands on the page."""
    return re.sub(r"[^a-z0-9-]+", "-", topic.lower()).strip("-")


def _approved(one: Statement) -> datetime:
    return one.approved_at or one.at


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, f"{{{_ATOM}}}{name}", attributes)
    child.text = _xml_text(text) or None
    return child


def _xml_text(text: str) -> str:
    """Leave out what XML 1.0 cannot hold."""
    return re.sub(r"[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]", "", text)


def _markdown(text: str) -> Markup:
    html = nh3.clean(_MARKDOWN.render(text), tags=_TAGS, link_rel="noopener noreferrer")
    return Markup(html)  # noqa: S704 - sanitised above


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
