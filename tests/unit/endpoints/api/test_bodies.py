"""What is wrong with a body is told by a JSON pointer."""

import msgspec
import pytest

from llmgw.endpoints.api.bodies import read_body, read_query
from llmgw.endpoints.problems import Kind, Problem


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    count: int


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    inner: list[Inner] = []
    by_name: dict[str, Inner] = {}


class Query(msgspec.Struct, forbid_unknown_fields=True):
    limit: int = 1
    only: bool | None = None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"name": 1}', "/name"),
        (b'{"name": "a", "other": 1}', "/other"),
        (b'{"name": "a", "a/b~c": 1}', "/a~1b~0c"),
        (b"{}", "/name"),
        (b'{"name": "a", "inner": [{"count": 1}, {"count": "x"}]}', "/inner/1/count"),
        (b'{"name": "a", "inner": [{}]}', "/inner/0/count"),
        (b'{"name": "a", "by_name": {"x": {"count": null}}}', "/by_name/.../count"),
    ],
)
def test_the_pointer_leads_to_what_is_wrong(body: bytes, pointer: str) -> None:
    with pytest.raises(Problem) as caught:
        read_body(body, "application/json", Outer)
    assert caught.value.kind is Kind.INVALID_BODY
    assert [fault.pointer for fault in caught.value.errors] == [pointer]


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_is_taken_by_its_names(kind: str) -> None:
    assert read_body(b'{"name": "a"}', kind, Outer) == Outer("a")


@pytest.mark.parametrize("kind", ["", "text/plain", "application/jsonx", "multipart/form-data"])
def test_another_type_is_not_looked_into(kind: str) -> None:
    with pytest.raises(Problem) as caught:
        read_body(b'{"name": "a"}', kind, Outer)
    assert caught.value.kind is Kind.UNSUPPORTED_MEDIA_TYPE


def test_a_querys_fields_are_read_by_their_types() -> None:
    assert read_query("limit=5&only=true", Query) == Query(5, only=True)
    assert read_query("", Query) == Query()


@pytest.mark.parametrize(
    "query", ["limit=x", "limit=1&limit=1", "other=1", "limit=%00", "%ff=1", "&".join(["a=1"] * 60)]
)
def test_a_query_that_is_wrong_is_refused(query: str) -> None:
    with pytest.raises(Problem) as caught:
        read_query(query, Query)
    assert caught.value.kind is Kind.INVALID_REQUEST
