"""Bringing a database to the present schema with Alembic, which is imported only when there is work."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

SCHEMA_VERSION = 2
VERSION_TABLE = "amends_schema"


def load_upgrade() -> Callable[[sa.Connection], None]:
    """Import Alembic and return what runs every migration that a database has not had.

    It works inside the connection's transaction. Load it before taking a lock: the import takes longer than
    the migrations.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "amends.adapters.stores:migrations")
    config.set_main_option("path_separator", "os")

    def upgrade(connection: sa.Connection) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    return upgrade
