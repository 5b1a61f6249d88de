"""The snapshot has the same fields in Python and in Rust."""

import re
from pathlib import Path

import msgspec
import pytest

from llmgw.gateway import snapshot
from llmgw.model import Operation

CORE = Path(__file__).parents[2] / "rust" / "core" / "src"
PARTS_OF_SNAPSHOT = ("operation", "price", "rules", "jwt")
NAMES = ("snapshot.rs", *(f"snapshot/{name}.rs" for name in PARTS_OF_SNAPSHOT), "sign.rs")
SOURCE = "\n".join((CORE / name).read_text(encoding="utf-8") for name in NAMES)
PARTS = snapshot.Part.__subclasses__()


def native_fields(name: str) -> list[str]:
    body = re.search(rf"pub struct {name} \{{(.*?)\n\}}", SOURCE, re.DOTALL)
    assert body is not None, f"{name} is not in the native core"
    return re.findall(r"^    pub (\w+):", body[1], re.MULTILINE)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_part_has_the_fields_of_its_native_twin(part: type[msgspec.Struct]) -> None:
    assert list(part.__struct_encode_fields__) == native_fields(part.__name__)


def test_the_operations_are_the_same() -> None:
    body = re.search(r"pub enum Operation \{(.*?)\n\}", SOURCE, re.DOTALL)
    assert body is not None
    native = re.findall(r"^    (\w+),", body[1], re.MULTILINE)
    assert native == [operation.value.title().replace("_", "") for operation in Operation]
