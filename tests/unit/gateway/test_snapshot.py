"""The snapshot mirrors the native one."""

import msgspec
import pytest

from llmgw.gateway.snapshot import Deployment, Snapshot, VirtualKey


def test_all_fields_are_sent_even_when_empty() -> None:
    key = VirtualKey(alias="a", digest="d")
    assert msgspec.json.decode(msgspec.json.encode(key)) == {
        "alias": "a",
        "digest": "d",
        "admin": False,
        "models": None,
        "model_map": {},
        "pass_through": None,
        "endpoints": None,
        "networks": None,
        "regions": None,
        "tags": [],
        "priority": None,
        "certificates": None,
        "expires_at": None,
        "blocked": False,
        "rpm": None,
        "tpm": None,
        "limits": [],
        "budgets": [],
    }


@pytest.mark.parametrize("kind", [Snapshot, Deployment])
def test_a_snapshot_cannot_be_changed(kind: type[msgspec.Struct]) -> None:
    assert kind.__struct_config__.frozen
