"""Alembic's entry: runs the migrations on the connection that ``migrate.upgrade`` hands over."""

from __future__ import annotations

from alembic import context

from amends.adapters.stores.migrate import VERSION_TABLE
from amends.adapters.stores.schema import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)  # fmt: skip
with context.begin_transaction():
    context.run_migrations()
