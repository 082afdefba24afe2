"""Types that threads may read at once.

At the first use of a type msgspec builds what it needs to know of it, and hands it to other threads before
it is whole: a thread that comes in between reads a null pointer and the process dies (seen with 0.22). So
whatever several threads read is built when its module is imported, which one thread does.
"""

from __future__ import annotations

from typing import Any

import msgspec


def prepare(*types: Any) -> None:
    """Have msgspec build what it keeps of these types, and of all that they hold, now."""
    for kind in types:
        msgspec.json.Decoder(kind)
