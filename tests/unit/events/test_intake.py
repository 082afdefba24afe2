"""What events from outside must be like, and where they go."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from amends.adapters.stores.memory import MemoryStore
from amends.errors import InvalidEventError
from amends.events import codec
from amends.events import payloads as p
from amends.events.chain import attributes
from amends.events.event import parse_time
from amends.events.intake import read_binary, read_event, route

TIME = "2026-03-20T14:27:05Z"


def cdevent(**context: Any) -> dict[str, Any]:
    return {
        "context": {
            "specversion": "0.5.1", "id": "1", "source": "/ci", "timestamp": TIME,
            "type": "dev.cdevents.service.deployed.0.3.0", **context,
        },
        "subject": {
            "id": "shop",
            "content": {"environment": {"id": "production"}, "artifactId": "pkg:oci/shop@1.0"},
        },
    }  # fmt: skip


def cloudevent(**changed: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": "1", "source": "/ci", "type": "com.example.built", "time": TIME,
        "data": {"ok": True}, **changed,
    }  # fmt: skip


def test_a_cloudevent_is_kept_as_it_came() -> None:
    value = cloudevent(subject="shop", traceparent="00-ab", sampledrate=3)
    event = read_event(value)
    assert attributes(event) == {**value, "datacontenttype": "application/json"}
    assert not event.imported
    assert route(event) == "intake//ci"


def test_a_bare_cdevent_is_wrapped_by_its_context() -> None:
    event = read_event(cdevent())
    assert (event.id, event.source, event.subject, event.time) == ("1", "/ci", "shop", TIME)
    assert event.data == cdevent()
    assert route(event) == "lane/shop/production"


def test_our_own_events_go_to_the_stream_of_their_payload() -> None:
    payload = p.SignedOff(service="shop", release="1.0", role="tester")
    stream, event = codec.make_event("signoff.given", payload, id="1", source="/x", at=parse_time(TIME))
    again = read_event(attributes(event))
    assert again == event
    assert route(again) == stream == "evidence/shop/1.0"


def test_imported_events_are_known_when_their_source_says_or_never() -> None:
    told = read_event(cloudevent(knownat="2025-01-01T00:00:00Z"), imported=True)
    assert told.known_at == parse_time("2025-01-01T00:00:00Z")
    assert read_event(cloudevent(), imported=True).known_at is None
    assert read_event(cloudevent(knownasserted=True, knownat=TIME)).imported
    assert read_event(cloudevent(knownat=TIME)).known_at is None


def test_a_time_that_nobody_stated_is_not_made_up() -> None:
    value = {name: item for name, item in cloudevent().items() if name != "time"}
    event = read_event(value)
    assert attributes(event) == {**value, "datacontenttype": "application/json"}
    assert read_event({**value, "time": None}) == event
    headers = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/ci", "ce-type": "com.example.built"}
    assert read_binary(headers, {"ok": True}).time == ""
    with pytest.raises(InvalidEventError, match="no time of receipt") as caught:
        read_event(value, imported=True)
    assert caught.value.where == "time"


def test_a_cdevent_without_an_envelopes_time_has_that_of_its_context() -> None:
    value = attributes(read_event(cdevent()))
    del value["time"]
    assert read_event(value) == read_event(cdevent())
    del value["data"]["context"]["timestamp"]
    with pytest.raises(InvalidEventError, match="found nothing") as caught:
        read_event(value)
    assert caught.value.where == "data.context.timestamp"


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def wrong_payload() -> dict[str, Any]:
    value = cdevent(type="dev.cdeventsx.amends-signoff.given.0.1.0")
    return {**value, "subject": {"id": "shop", "content": {"service": "shop"}}}


@pytest.mark.parametrize(
    ("value", "where", "message"),
    [
        ([1], "event", "found a list; allowed is a JSON object"),
        ({}, "specversion", "found None; allowed is '1.0'"),
        (cloudevent(specversion="0.3"), "specversion", "'0.3'"),
        (cloudevent(id=""), "id", "a text that is not empty"),
        (cloudevent(id=7), "id", "found 7"),
        (cloudevent(id="a\0b"), "id", "printable"),
        (cloudevent(source="x" * 2000), "source", "at most 1024"),
        ({k: v for k, v in cloudevent().items() if k != "type"}, "type", "found nothing"),
        (cloudevent(time="yesterday"), "time", "RFC 3339"),
        (cloudevent(time="2026-03-20T14:27:05"), "time", "no time zone"),
        (cloudevent(datacontenttype="text/plain"), "datacontenttype", "'text/plain'"),
        (cloudevent(data_base64="AAAA"), "data_base64", "binary"),
        (cloudevent(traceParent="x"), "traceParent", "small letters"),
        (cloudevent(extra={"a": 1}), "extra", "an object"),
        (cloudevent(amendsseq=3), "amendsseq", "the log itself sets"),
        (cloudevent(data=nested(70)), "event", "64 levels"),
        (cloudevent(data=float("nan")), "event", "nan"),
        (cloudevent(data="x" * 1024 * 1024), "event", "at most 1048576 bytes"),
        (cloudevent(type="dev.cdevents.build.started.0.3.0"), "data.context", "an object"),
        ({"context": {"id": "1"}, "subject": {"id": "x"}}, "context.source", "found nothing"),
        (cdevent(type="com.example"), "context.type", "begins with dev.cdevents"),
        (cdevent(timestamp="soon"), "context.timestamp", "RFC 3339"),
        (wrong_payload(), "", "SignedOff|release"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_by_name(value: Any, where: str, message: str) -> None:
    with pytest.raises(InvalidEventError, match=message) as caught:
        read_event(value)
    assert caught.value.where == where
    assert caught.value.remedy


@pytest.mark.parametrize("field", ["id", "source", "type"])
def test_context_and_envelope_must_agree(field: str) -> None:
    value = attributes(read_event(cdevent()))
    changed = copy.deepcopy(value)
    changed["data"]["context"][field] = "dev.cdevents.other"
    with pytest.raises(InvalidEventError, match="as in the envelope") as caught:
        read_event(changed)
    assert caught.value.where == f"data.context.{field}"


def test_binary_mode_reads_headers_without_regard_to_case() -> None:
    headers = {
        "Ce-Specversion": "1.0", "CE-ID": "1", "ce-source": "/caf%C3%A9", "ce-type": "com.example.built",
        "ce-time": TIME, "Content-Type": "application/json; charset=utf-8", "host": "x",
    }  # fmt: skip
    event = read_binary(headers, {"ok": True})
    assert (event.id, event.source, event.data) == ("1", "/café", {"ok": True})
    with pytest.raises(InvalidEventError) as caught:
        read_binary({"content-type": "application/json"}, {})
    assert caught.value.where == "specversion"


def test_all_conformance_examples_are_accepted_and_kept(shared_data: Path) -> None:
    store = MemoryStore()
    files = sorted((shared_data / "payloads/cdevents/conformance").glob("*.json"))
    assert len(files) == 45
    for number, file in enumerate(files):
        bare = json.loads(file.read_text())
        bare["context"]["id"] = f"example-{number}"
        event = read_event(bare)
        wrapped = read_event(attributes(event))
        assert wrapped == event
        (record,) = store.append(route(event), [event], recorded_at=parse_time(TIME))
        assert record.event.data == bare
        assert store.find(f"example-{number}") == [record]
    assert store.last_position() == 45
