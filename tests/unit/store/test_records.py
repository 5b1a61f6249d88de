"""What journals tell is checked before it is booked."""

import pytest

from llmgw.store.booking import book
from llmgw.store.records import BadRecord, Call, Event, Reserve, Settle, decode

HEAD = b'{"t":"settle","id":"a","at":5,'


def test_fields_that_are_not_known_are_passed_over() -> None:
    record = decode(HEAD + b'"cost":7,"class":"RateLimited","tomorrow":[1]}')
    assert record == Settle(id="a", at=5, cost=7, error_class="RateLimited")


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"nonsense",
        b'{"t":"refund","id":"a","at":5}',
        b'{"t":"settle","at":5}',
        HEAD + b'"cost":-1}',
        HEAD + b'"cost":1.5}',
        HEAD + b'"cost":"7"}',
        HEAD + b'"cost":99999999999999999999}',
        HEAD + b'"usage":{"input":-4}}',
        b'{"t":"settle","id":"' + b"x" * 65 + b'","at":5}',
        b'{"t":"reserve","id":"a","at":5,"key":"\xff"}',
    ],
)
def test_what_is_no_record_is_told(payload: bytes) -> None:
    with pytest.raises(BadRecord):
        decode(payload)


def test_calls_and_events_are_records_too() -> None:
    assert isinstance(decode(b'{"t":"call","id":"a","at":5,"what":"hit"}'), Call)
    who = b'"actor":{"kind":"cli"},"action":"key.create","object":{"kind":"key","id":"k"}'
    assert isinstance(decode(b'{"t":"event","id":"evt_1","at":5,' + who + b"}"), Event)


def test_usage_without_a_column_is_kept_beside() -> None:
    row = book(None, Reserve(id="a", at=1), "w", {})
    row = book(row, Settle(id="a", at=2, usage={"input": 3, "audio": 4}), "w", {})
    assert row is not None
    assert (row["input_tokens"], row["usage"]) == (3, {"audio": 4})


def test_a_margin_is_rounded_and_never_makes_a_cost_negative() -> None:
    charges = []
    for ppm in (0, 500_000, -250_000, -2_000_000):
        row = book(None, Reserve(id="a", at=1, team="t"), None, {})
        row = book(row, Settle(id="a", at=2, cost=3), None, {"t": ppm})
        assert row is not None
        charges.append(row["charged"])
    assert charges == [3, 5, 2, 0]
