"""The two tables beside the log, on a SQL database: who a pseudonym is, and hashes of tokens."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from amends.adapters.stores import schema
from amends.adapters.stores.database import Database, to_micros
from amends.adapters.stores.memory import new_pseudonym, new_token, token_digest


class SqlPeople:
    """Who a pseudonym is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pseudonym(self, login: str) -> str:
        """See ``People.pseudonym``."""
        return self._known(login) or self._make(login)

    def _known(self, login: str) -> str | None:
        table = schema.people
        with self._database.reading() as connection:
            if connection is None:
                return None
            found: str | None = connection.scalar(sa.select(table.c.pseudonym).where(table.c.login == login))
            return found

    def _make(self, login: str) -> str:
        pseudonym = new_pseudonym()
        try:
            with self._database.writing() as connection:
                connection.execute(
                    sa.insert(schema.people), {"login": login, "pseudonym": pseudonym}
                )  # fmt: skip
        except IntegrityError:
            return self._known(login) or self._make(login)
        return pseudonym

    def login(self, pseudonym: str) -> str | None:
        """See ``People.login``."""
        table = schema.people
        with self._database.reading() as connection:
            if connection is None:
                return None
            found: str | None = connection.scalar(
                sa.select(table.c.login).where(table.c.pseudonym == pseudonym)
            )
            return found

    def forget(self, login: str) -> bool:
        """See ``People.forget``."""
        with self._database.reading() as connection:
            if connection is None:
                return False
        with self._database.writing() as connection:
            return connection.execute(sa.delete(schema.people).filter_by(login=login)).rowcount > 0


class SqlTokens:
    """Hashes of access tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(self, label: str, *, at: datetime) -> str:
        """See ``Tokens.issue``. A label may have several; ``revoke`` forgets all of them."""
        token = new_token()
        with self._database.writing() as connection:
            connection.execute(
                sa.insert(schema.tokens),
                {"label": label, "digest": token_digest(token), "issued_at": to_micros(at)},
            )
        return token

    def check(self, token: str) -> str | None:
        """See ``Tokens.check``."""
        table = schema.tokens
        with self._database.reading() as connection:
            if connection is None:
                return None
            found: str | None = connection.scalar(
                sa.select(table.c.label).where(table.c.digest == token_digest(token))
            )
            return found

    def revoke(self, label: str) -> bool:
        """See ``Tokens.revoke``."""
        with self._database.reading() as connection:
            if connection is None:
                return False
        with self._database.writing() as connection:
            return connection.execute(sa.delete(schema.tokens).filter_by(label=label)).rowcount > 0

    def any(self) -> bool:
        """See ``Tokens.any``."""
        with self._database.reading() as connection:
            return (
                connection is not None
                and connection.scalar(sa.select(schema.tokens.c.label).limit(1)) is not None
            )
