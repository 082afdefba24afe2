"""A review is rendered section by section; what is too long for a page stands there as it was written."""

from __future__ import annotations

from amends.reviews.sections import split_sections
from amends.web.templating import markdown_sections


def rendered(text: str) -> list[str]:
    return markdown_sections(text, split_sections(text))  # type: ignore[return-value]


def test_a_link_that_is_defined_at_the_end_works_in_every_section() -> None:
    first, second = rendered("## One\n\nsee [e1]\n\n## Two\n\n[e1]: /log/events/abc\n")
    assert 'href="/log/events/abc"' in first
    assert "e1" not in second


def test_a_section_beyond_what_a_page_renders_is_whole_and_inert() -> None:
    short, long = rendered("## One\n\n**short**\n\n## Two\n\n<script>alert(1)</script>\n" + "*x*\n" * 60_000)
    assert "<strong>short</strong>" in short
    assert long.startswith("<pre")
    assert "&lt;script&gt;" in long
    assert long.count("*x*") == 60_000
