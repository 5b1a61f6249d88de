"""What wiring compiles, the native gateway takes."""

from pathlib import Path

import msgspec
import pytest

from llmgw import _native
from llmgw.access.keys import make_key
from llmgw.gateway.snapshot import Snapshot
from llmgw.settings.schema import KeyEntry
from tests.unit.access.test_keys import NOW
from tests.unit.configurations import STATE, compiled, compiled_over
from tests.unit.settings.test_litellm import ENVIRONMENT, FILES

EXAMPLE = (Path(__file__).parents[1] / "unit" / "wiring" / "golden" / "example.yaml").read_text()


@pytest.fixture
def gateway(tmp_path: Path) -> _native.Gateway:
    return _native.Gateway(tmp_path / "shared", 0)


def taken(gateway: _native.Gateway, snapshot: Snapshot) -> bool:
    """Whether the gateway serves from this snapshot after loading it."""
    gateway.load(snapshot.encode())
    return gateway.version == snapshot.version


def test_the_example_is_taken(gateway: _native.Gateway) -> None:
    assert taken(gateway, compiled(EXAMPLE, OPENAI_API_KEY="k", AZURE_API_KEY="k"))


def test_the_defaults_are_taken_with_every_key_at_hand(gateway: _native.Gateway) -> None:
    assert taken(gateway, compiled("", OPENAI_API_KEY="k", ANTHROPIC_API_KEY="k", GEMINI_API_KEY="k"))


@pytest.mark.parametrize("name", FILES)
def test_litellms_files_are_taken(gateway: _native.Gateway, name: str) -> None:
    assert taken(gateway, compiled(FILES[name], **ENVIRONMENT))


def test_a_generated_key_is_let_in_by_its_digest_alone(gateway: _native.Gateway) -> None:
    made = make_key(KeyEntry(alias="team-a", digest="0" * 64), STATE.pepper, NOW)
    state = msgspec.structs.replace(STATE, keys=(made.entry,))
    gateway.load(compiled_over(state, "").encode())
    holder = gateway.authenticate(made.secret.reveal().encode())
    assert (holder.id, holder.alias, holder.admin) == ("file:team-a", "team-a", False)


def test_the_admin_key_is_let_in_as_admin(gateway: _native.Gateway) -> None:
    gateway.load(compiled("", LLMGW_MASTER_KEY="the-key-of-the-admin").encode())
    holder = gateway.authenticate(b"the-key-of-the-admin")
    assert (holder.id, holder.alias, holder.admin) == ("master", "master", True)


def test_a_refused_snapshot_is_refused_without_its_secrets(gateway: _native.Gateway) -> None:
    snapshot = compiled("keys: [{alias: a, key: env:K}]", K="canary-key-of-a-team")
    broken = snapshot.encode().replace(b'"routes"', b'"canary"')
    with pytest.raises(ValueError) as caught:
        gateway.load(broken)
    assert "canary" not in str(caught.value)
    assert STATE.pepper.reveal() not in str(caught.value)
