"""Search indexes: SQLite's full-text search, in a file or in memory, for a log in any store."""

from __future__ import annotations

from amends.adapters.search.fulltext import FullTextIndex

__all__ = ["FullTextIndex"]
