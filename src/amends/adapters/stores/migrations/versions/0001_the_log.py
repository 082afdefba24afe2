"""The log: events and their tags, checkpoints, people, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "events",
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
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_kind", "events", ["kind", "position"])
    op.create_table(
        "event_tags",
        sa.Column("tag", sa.Text, primary_key=True),
        sa.Column("position", _COUNT, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("moment", sa.BigInteger, nullable=True),
        sqlite_with_rowid=False,
    )
    op.create_index("event_tags_by_kind", "event_tags", ["tag", "kind", "position"])
    op.create_index(
        "event_tags_by_moment", "event_tags", ["tag", "kind", "moment", "position"],
        sqlite_where=sa.text("moment IS NOT NULL"), postgresql_where=sa.text("moment IS NOT NULL"),
    )  # fmt: skip
    op.create_table(
        "checkpoints",
        sa.Column("number", _COUNT, sa.Identity(), primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("position", _COUNT, nullable=False),
        sa.Column("heads", sa.LargeBinary, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.UniqueConstraint("root", name="checkpoints_root"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "people",
        sa.Column("login", sa.Text, primary_key=True),
        sa.Column("pseudonym", sa.Text, nullable=False),
        sa.UniqueConstraint("pseudonym", name="people_pseudonym"),
    )
    op.create_table(
        "tokens",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
    )
