"""Bedrock's shape of a request, read from the service's own model in botocore."""

from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from tests.upstreams.vendors.checks import (
    Path,
    Refused,
    base64_data,
    boolean,
    items,
    mapping,
    number,
    require,
    string,
)

CHECKED_IN_PATH = {"modelId"}


@cache
def _service() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")


def check_request(operation: str, body: dict[str, Any]) -> None:
    """Refuse a body that the service's model does not allow."""
    shape = _service().operation_model(operation).input_shape
    assert shape is not None
    _check(body, (), shape)


def _check(value: Any, path: Path, shape: Shape) -> None:
    meta = shape.metadata
    if getattr(shape, "is_document_type", False):
        return
    if shape.type_name == "structure":
        _check_structure(value, path, shape)
    elif shape.type_name == "list":
        items(lambda each, at: _check(each, at, shape.member), meta.get("min", 0), meta.get("max"))(
            value, path
        )
    elif shape.type_name == "map":
        mapping(value, path)
        for name, each in value.items():
            _check(each, (*path, name), shape.value)
    elif shape.type_name == "string":
        string(least=meta.get("min", 0), most=meta.get("max"))(value, path)
        enum = meta.get("enum")
        require(enum is None or value in enum, path, f"Member must satisfy enum value set: {enum}")
    elif shape.type_name in ("integer", "long"):
        number(meta.get("min"), meta.get("max"), whole=True)(value, path)
    elif shape.type_name in ("float", "double"):
        number(meta.get("min"), meta.get("max"))(value, path)
    elif shape.type_name == "boolean":
        boolean(value, path)
    elif shape.type_name == "blob":
        base64_data(value, path)
    else:
        raise AssertionError(f"a type of botocore's model that is not known here: {shape.type_name}")


def _check_structure(value: Any, path: Path, shape: Any) -> None:
    mapping(value, path)
    for name in value:
        if name not in shape.members:
            raise Refused((*path, name), f"extraneous key [{name}] is not permitted", "unknown")
    for name in shape.required_members:
        if name not in value and name not in CHECKED_IN_PATH:
            raise Refused((*path, name), "Member must not be null", "missing")
    if getattr(shape, "is_tagged_union", False):
        require(len(value) == 1, path, f"exactly one member is to be set, found {sorted(value)}")
    for name, each in value.items():
        _check(each, (*path, name), shape.members[name])
