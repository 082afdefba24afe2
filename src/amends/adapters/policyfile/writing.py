"""Writing a file whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from amends.errors import UsageError


def write_new_file(path: Path, text: str, *, replace: bool = False) -> None:
    """Write ``text``; never over a file that is there, unless ``replace``.

    Raises ``UsageError`` when the file is there, or the folder cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        draft = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(text)
            draft.chmod(0o644)
            if replace:
                draft.replace(path)
            else:
                os.link(draft, path)  # unlike a rename, this fails where the file appeared meanwhile
        finally:
            draft.unlink(missing_ok=True)
    except FileExistsError:
        raise UsageError(
            "the file is there already", where=str(path), remedy="edit it, or replace it with --force"
        ) from None
    except OSError as error:
        raise UsageError(f"it cannot be written: {error.strerror}", where=str(path)) from None
