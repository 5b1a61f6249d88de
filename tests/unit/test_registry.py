"""Names to things."""

import msgspec
import pytest

from llmgw.registry import Registry


class Thing(msgspec.Struct, frozen=True):
    name: str
    aliases: tuple[str, ...] = ()


ONE = Thing("one", ("uno",))


def test_things_are_found_by_name_and_alias() -> None:
    registry = Registry("thing", [ONE])
    assert registry.get("one") is registry.get("uno") is ONE
    assert registry.get("two") is None


def test_a_name_is_taken_once() -> None:
    registry = Registry("thing", [ONE])
    with pytest.raises(ValueError, match="thing 'uno' is registered twice"):
        registry.add(Thing("uno"))


def test_each_thing_is_listed_once_in_order() -> None:
    two = Thing("two")
    assert list(Registry("thing", [two, ONE])) == [two, ONE]


def test_the_nearest_name_is_suggested() -> None:
    registry = Registry("thing", [ONE])
    assert registry.nearest("onw") == "one"
    assert registry.nearest("zzzz") is None
