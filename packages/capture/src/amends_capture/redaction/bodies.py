"""Bodies of requests and responses: unpacked by their headers, redacted, as typed JSON."""

from __future__ import annotations

import base64
import json
import math
import re
import zlib
from collections.abc import Mapping
from typing import Any

from amends_capture.redaction.encodings import changed_bytes, inflated
from amends_capture.redaction.texts import Texts
from amends_capture.redaction.values import redact_value
from amends_capture.typed import Snapshot, cut

Json = Any
_MOST_INFLATED = 1024 * 1024
_CHARSET = re.compile(r"charset=\"?([\w.:-]{1,40})", re.IGNORECASE)
_BOUNDARY = re.compile(r"boundary=\"?([^\";]{1,100})", re.IGNORECASE)
_PART_NAME = re.compile(r"\bname=\"((?:\\.|[^\"\\])*)\"", re.IGNORECASE)
_PART_TYPE = re.compile(r"^content-type:\s*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def body_of(pieces: list[bytes], size: int, headers: Mapping[str, str], texts: Texts) -> Json:
    """Return a redacted body: JSON as it is, text as ``$type: text``, else bytes; null where there is none.

    ``size`` is how many bytes there were; a body of which some are missing is ``$type: cut``.
    """
    content = b"".join(pieces)
    if not size:
        return None
    if len(content) < size:
        return cut(size)
    encodings = [e.strip().lower() for e in headers.get("content-encoding", "").split(",") if e.strip()]
    plain = _unpacked(content, encodings)
    if plain is None:
        return cut(size)
    kind = headers.get("content-type", "")
    found = _typed_body(plain, kind, texts)
    if encodings and isinstance(found, dict) and found.get("$type") in ("text", "bytes"):
        return {**found, "encoding": encodings}
    return found


def _unpacked(content: bytes, encodings: list[str]) -> bytes | None:
    """Undo the Content-Encoding; ``None`` when that cannot be done here, for then nothing can be redacted."""
    for encoding in reversed(encodings):
        if encoding in ("identity", ""):
            continue
        if encoding not in ("gzip", "x-gzip", "deflate"):
            return None
        plain = inflated(content, _MOST_INFLATED)
        if plain is None and encoding == "deflate":
            plain = _raw_deflate(content)
        if plain is None:
            # It says so and is not: the service sees these bytes, and so do we.
            continue
        if len(plain) >= _MOST_INFLATED:
            return None
        content = plain
    return content


def _raw_deflate(content: bytes) -> bytes | None:
    try:
        return zlib.decompressobj(wbits=-15).decompress(content, _MOST_INFLATED)
    except zlib.error:
        return None


def _typed_body(content: bytes, kind: str, texts: Texts) -> Json:
    boundary = _BOUNDARY.search(kind) if "multipart/" in kind.lower() else None
    if boundary:
        return _multipart(content, boundary[1], texts)
    text = _text(content, kind)
    if text is None:
        made = changed_bytes(content, texts.redact) if inflated(content) is not None else None
        if made is None:
            made = texts.redact(content.decode("latin-1")).encode("latin-1", "replace")
        return {"$type": "bytes", "base64": base64.b64encode(made).decode("ascii")}
    if "x-www-form-urlencoded" in kind.lower() or (not kind and _looks_like_form(text)):
        return {"$type": "text", "text": texts.form(text)}
    value = _json(text)
    if value is not _NO_JSON:
        return redact_value(texts, value)
    found = {"$type": "text", "text": texts.redact(text)}
    charset = _CHARSET.search(kind)
    return {**found, "charset": charset[1].lower()} if charset and charset[1].lower() != "utf-8" else found


def _looks_like_form(text: str) -> bool:
    return re.fullmatch(r"[\w.%+\[\]-]+=[^\s=&{}\"]*(?:&[\w.%+\[\]-]+=[^\s=&{}\"]*)*", text) is not None


def _text(content: bytes, kind: str) -> str | None:
    charset = _CHARSET.search(kind)
    try:
        text = content.decode(charset[1] if charset else "utf-8")
    except (UnicodeDecodeError, LookupError):
        text = "\0"
    return text if "\0" not in text else _wide(content)


def _wide(content: bytes) -> str | None:
    """Return JSON in UTF-16 or UTF-32, which parsers find out by themselves (RFC 4627, 3); else ``None``."""
    encoding = json.detect_encoding(content)
    if not encoding.startswith(("utf-16", "utf-32")):
        return None
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    return text if text.lstrip()[:1] in ("{", "[", '"') else None


_NO_JSON = object()


def _json(text: str) -> Json:
    """Return what a JSON text says, typed; ``_NO_JSON`` when it is none, or says more than its value does."""
    if text[:1] not in '{["-0123456789tfn' and not text[:1].isspace():
        return _NO_JSON
    try:
        value = json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError):
        return _NO_JSON
    typed = Snapshot(nodes=20_000, characters=1 << 20, longest=1 << 20, deepest=64).take(value)
    return typed if "$type" not in json.dumps(typed) else _NO_JSON


def _unrepeated(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is repeated")
    return found


def _refuse(_: str) -> Json:
    raise ValueError("not a value of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value) or (repr(value) != text and not text.rstrip("0").endswith(repr(value).rstrip("0"))):
        raise ValueError("a number that a float does not hold as it is written")
    return value


def _multipart(content: bytes, boundary: str, texts: Texts) -> Json:
    """Redact the parts of a multipart body (RFC 7578), one byte for one character."""
    text = content.decode("latin-1")
    mark = f"--{boundary.strip()}"
    made = mark.join(_part(part, texts) for part in text.split(mark))
    try:
        whole = made.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return {
            "$type": "bytes",
            "base64": base64.b64encode(made.encode("latin-1", "replace")).decode("ascii"),
        }
    return {"$type": "text", "text": whole}


def _part(part: str, texts: Texts) -> str:
    for blank in ("\r\n\r\n", "\n\n"):
        head, found, content = part.partition(blank)
        if found:
            break
    else:
        return texts.redact(part)
    end = content[len(content.rstrip("\r\n")) :]
    value = content[: len(content) - len(end)] if end else content
    name, kind = _PART_NAME.search(head), _PART_TYPE.search(head)
    plain = _utf8(value)
    made = (
        texts.json(plain)
        if kind and "json" in kind[1].lower()
        else texts.named(name[1] if name else "", plain)
    )
    return f"{head}{found}{made.encode('utf-8').decode('latin-1') if plain != value else made}{end}"


def _utf8(text: str) -> str:
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text
