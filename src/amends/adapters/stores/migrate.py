"""Bringing a database to the present schema with Alembic, which is imported only when there is work."""

from __future__ import annotations

import sqlalchemy as sa

VERSION_TABLE = "amends_schema"


def upgrade(connection: sa.Connection) -> None:
    """Run every migration that the database has not had, inside the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "amends.adapters.stores:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
