"""Every kind of event that amends emits is valid by the schemas of CDEvents."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from msgspec import inspect
from referencing import Registry, Resource

from amends.events import codec, kinds

NOW = datetime(2026, 3, 20, 14, 27, 5, tzinfo=UTC)


def example(kind: inspect.Type) -> Any:
    """Make a value of a payload field's type."""
    if isinstance(kind, inspect.UnionType):
        return example(next(t for t in kind.types if not isinstance(t, inspect.NoneType)))
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0]
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return [example(kind.item_type)]
    if isinstance(kind, inspect.TupleType):
        return [example(item) for item in kind.item_types]
    if isinstance(kind, inspect.StructType):
        return {f.encode_name: example(f.type) for f in kind.fields}
    simple: dict[type, Any] = {
        inspect.StrType: "text", inspect.IntType: 3, inspect.FloatType: 2.5, inspect.BoolType: True,
        inspect.DateTimeType: "2026-03-20T14:27:05Z", inspect.DictType: {}, inspect.AnyType: "anything",
    }  # fmt: skip
    return simple[type(kind)]


def payload_of(kind: kinds.Kind, *, full: bool) -> Any:
    fields = msgspec.structs.fields(kind.payload)
    told = inspect.type_info(kind.payload)
    assert isinstance(told, inspect.StructType)
    values = {
        field.encode_name: example(typed.type)
        for field, typed in zip(fields, told.fields, strict=True)
        if full or field.required
    }
    return msgspec.convert(values, kind.payload)


@pytest.fixture(scope="module")
def schemas(shared_data: Path) -> dict[str, Any]:
    folder = shared_data / "payloads/cdevents"
    files = [*folder.glob("schemas/**/*.json"), folder / "custom/schema.json"]
    return {found["$id"]: found for found in (json.loads(file.read_text()) for file in files)}


@pytest.mark.parametrize("full", [False, True], ids=["least", "full"])
@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.name)
def test_what_amends_emits_is_a_valid_cdevent(schemas: dict[str, Any], kind: kinds.Kind, full: bool) -> None:
    payload = payload_of(kind, full=full)
    _, event = codec.make_event(kind.name, payload, id="1", source="/amends/test", at=NOW)
    registry: Registry[Any] = Registry().with_resources(
        (address, Resource.from_contents(schema)) for address, schema in schemas.items()
    )
    wanted = "custom" if kind.custom else f"{'-'.join(kind.name.split('.'))}-event"
    schema = schemas[f"https://cdevents.dev/{kinds.SPEC_VERSION}/schema/{wanted}"]
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    validator = jsonschema.Draft202012Validator(schema, registry=registry, format_checker=checker)
    assert [error.message for error in validator.iter_errors(event.data)] == []


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.name)
def test_what_amends_emits_it_reads_back(kind: kinds.Kind) -> None:
    from amends.events.chain import link

    payload = payload_of(kind, full=True)
    stream, event = codec.make_event(kind.name, payload, id="1", source="/amends/test", at=NOW)
    fact = codec.decode(link(event, stream=stream, seq=1, previous="0" * 64, recorded_at=NOW))
    assert (fact.kind, fact.payload) == (kind.name, payload)
