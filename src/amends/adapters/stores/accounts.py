"""The two tables beside the log, on a SQL database: who a pseudonym is, and hashes of tokens."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from amends.adapters.stores.database import NO_VALUES, Database, DuplicateError, first_value, to_micros
from amends.adapters.stores.memory import new_pseudonym, new_token, token_digest


class _Table:
    """Reading and deleting, without making a log where there is none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def _first(self, statement: str, values: Mapping[str, Any] = NO_VALUES) -> str | None:
        with self._database.reading() as connection:
            found: str | None = (
                None if connection is None else first_value(connection.rows(statement, values))
            )
            return found

    def _delete(self, statement: str, values: Mapping[str, Any]) -> bool:
        with self._database.reading() as connection:
            if connection is None:
                return False
        with self._database.writing() as connection:
            return connection.change(statement, values) > 0


class SqlPeople(_Table):
    """Who a pseudonym is."""

    def pseudonym(self, login: str) -> str:
        """See ``People.pseudonym``."""
        return self._known(login) or self._make(login)

    def pseudonyms(self, logins: Collection[str]) -> dict[str, str]:
        """See ``People.pseudonyms``. One transaction for all that are new."""
        found = {login: name for login in logins if (name := self._known(login))}
        new = [(login, new_pseudonym()) for login in dict.fromkeys(logins) if login not in found]
        if not new:
            return found
        try:
            with self._database.writing() as connection:
                connection.insert("people", ("login", "pseudonym"), new)
        except DuplicateError:  # another process met one of them a moment ago
            return {**found, **{login: self.pseudonym(login) for login, _ in new}}
        return {**found, **dict(new)}

    def _known(self, login: str) -> str | None:
        return self._first("SELECT pseudonym FROM people WHERE login = :login", {"login": login})

    def _make(self, login: str) -> str:
        pseudonym = new_pseudonym()
        try:
            with self._database.writing() as connection:
                connection.insert("people", ("login", "pseudonym"), [(login, pseudonym)])
        except DuplicateError:
            return self._known(login) or self._make(login)
        return pseudonym

    def login(self, pseudonym: str) -> str | None:
        """See ``People.login``."""
        return self._first("SELECT login FROM people WHERE pseudonym = :known", {"known": pseudonym})

    def forget(self, login: str) -> bool:
        """See ``People.forget``."""
        return self._delete("DELETE FROM people WHERE login = :login", {"login": login})


class SqlTokens(_Table):
    """Hashes of access tokens."""

    def issue(self, label: str, *, at: datetime) -> str:
        """See ``Tokens.issue``. A label may have several; ``revoke`` forgets all of them."""
        token = new_token()
        with self._database.writing() as connection:
            row = (token_digest(token), label, to_micros(at))
            connection.insert("tokens", ("digest", "label", "issued_at"), [row])
        return token

    def check(self, token: str) -> str | None:
        """See ``Tokens.check``."""
        return self._first("SELECT label FROM tokens WHERE digest = :digest", {"digest": token_digest(token)})

    def revoke(self, label: str) -> bool:
        """See ``Tokens.revoke``."""
        return self._delete("DELETE FROM tokens WHERE label = :label", {"label": label})

    def any(self) -> bool:
        """See ``Tokens.any``."""
        return self._first("SELECT label FROM tokens LIMIT 1") is not None
