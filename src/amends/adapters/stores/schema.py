"""The tables of the log, the same on SQLite and PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()
_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Moments are whole microseconds since 1970, UTC: they sort, and both databases keep them exactly.
events = sa.Table(
    "events",
    metadata,
    sa.Column("position", _COUNT, sa.Identity(), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("stream", sa.Text, nullable=False),
    sa.Column("seq", _COUNT, nullable=False),
    sa.Column("recorded_at", sa.BigInteger, nullable=False),
    sa.Column("known_at", sa.BigInteger, nullable=True),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("event_id", "source", name="events_key"),
    sa.UniqueConstraint("stream", "seq", name="events_place"),
    sa.Index("events_by_kind", "kind", "position"),
    sqlite_autoincrement=True,
)

event_tags = sa.Table(
    "event_tags",
    metadata,
    sa.Column("tag", sa.Text, primary_key=True),
    sa.Column("position", _COUNT, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("moment", sa.BigInteger, nullable=True),
    sa.Index("event_tags_by_kind", "tag", "kind", "position"),
    sa.Index(
        "event_tags_by_moment",
        "tag",
        "kind",
        "moment",
        "position",
        sqlite_where=sa.text("moment IS NOT NULL"),
        postgresql_where=sa.text("moment IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    sa.Column("number", _COUNT, sa.Identity(), primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("position", _COUNT, nullable=False),
    sa.Column("heads", sa.LargeBinary, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("root", sa.Text, nullable=False),
    sa.UniqueConstraint("root", name="checkpoints_root"),
    sqlite_autoincrement=True,
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("login", sa.Text, primary_key=True),
    sa.Column("pseudonym", sa.Text, nullable=False),
    sa.UniqueConstraint("pseudonym", name="people_pseudonym"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("issued_at", sa.BigInteger, nullable=False),
)

pushed_pages = sa.Table(
    "pushed_pages",
    metadata,
    sa.Column("service", sa.Text, primary_key=True),
    sa.Column("environment", sa.Text, primary_key=True),
    sa.Column("release", sa.Text, primary_key=True),
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("page", sa.Text, nullable=False),
    sa.Column("content_type", sa.Text, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Index("pushed_pages_by_age", "at"),
)
