"""The whole way, from a file to what the native core reads."""

import json
import re
from pathlib import Path

import pytest

from llmgw.model import PATHS, STORED, Operation
from llmgw.settings.problems import SettingsError
from llmgw.settings.secrets import Secret
from llmgw.state import State
from llmgw.wiring import compile_snapshot
from tests.unit.configurations import STATE, compiled, read, warnings

GOLDEN = Path(__file__).parent / "golden"


def test_the_example_compiles_to_its_golden_snapshot() -> None:
    text = (GOLDEN / "example.yaml").read_text()
    snapshot = compiled(text, OPENAI_API_KEY="openai-credential", AZURE_API_KEY="azure-credential")
    expected = json.loads((GOLDEN / "example.json").read_text())
    assert json.loads(snapshot.encode()) == {"version": snapshot.version, **expected}


def test_every_operation_is_served_with_and_without_v1() -> None:
    routes = compiled("").routes
    native = STORED | {Operation.REALTIME}
    posted = [operation for operation in PATHS if operation not in native]
    assert set(routes) == {"/v2/rerank"} | {path for operation in posted for path in operation.paths}
    assert routes["/openai/v1/responses"] == Operation.RESPONSES  # as Azure has it
    assert routes["/v1/chat/completions"] == routes["/chat/completions"] == Operation.CHAT_COMPLETIONS


def test_the_version_is_a_digest() -> None:
    assert re.fullmatch("[0-9a-f]{64}", compiled("").version)


def test_the_version_is_the_same_for_the_same_settings_however_written() -> None:
    first = compiled("cache: {ttl: 5}\npii: {mode: block}\n")
    assert first.version == compiled("# a comment\npii: {mode: block}\ncache:\n  ttl: 5.0\n").version


@pytest.mark.parametrize(
    ("text", "environment"),
    [("cache: {ttl: 6}", {"OPENAI_API_KEY": "one"}), ("cache: {ttl: 5}", {"OPENAI_API_KEY": "two"})],
)
def test_the_version_changes_with_the_settings_and_with_their_secrets(
    text: str, environment: dict[str, str]
) -> None:
    before = compiled("cache: {ttl: 5}", OPENAI_API_KEY="one")
    assert compiled(text, **environment).version != before.version


def test_the_cache_is_off_unless_asked_for() -> None:
    assert compiled("").cache is None


def test_litellms_switch_turns_the_cache_on() -> None:
    cache = compiled("litellm_settings: {cache: true, cache_params: {type: local, ttl: 60}}").cache
    assert cache is not None
    assert cache.ttl == 60


def test_our_section_wins_over_litellms_switch() -> None:
    text = "litellm_settings: {cache: true, cache_params: {ttl: 60}}\ncache: {ttl: 7, max_entry_bytes: 9}"
    cache = compiled(text).cache
    assert cache is not None
    assert (cache.ttl, cache.max_entry_bytes) == (7, 9)


def test_responses_are_stored_for_thirty_days_unless_told_otherwise() -> None:
    responses = compiled("responses: {max_bytes: 9}").responses
    assert responses is not None
    assert (responses.keep, responses.max_bytes) == (30 * 86_400, 9)


def test_responses_that_are_kept_for_no_time_are_not_stored() -> None:
    assert compiled("responses: {keep: 0}").responses is None


def test_a_shared_cache_is_replaced_by_a_local_one_with_a_warning() -> None:
    (found,) = warnings("litellm_settings: {cache: true, cache_params: {type: redis}}")
    assert "not served yet" in found


CANARIES = """
    model_list:
      - {model_name: a, params: {model: openai/m, api_key: env:K1, extra_headers: {x-secret: env:K2}}}
      - {model_name: b, params: {model: azure/m, api_base: "https://a.example", azure_ad_token: canary-3}}
    environment_variables: {K2: canary-4}
    keys: [{alias: k, key: canary-5-of-a-client}]
    general_settings: {master_key: canary-6-of-the-admin}
    """


def test_no_secret_shows_in_anything_that_may_be_printed() -> None:
    loaded = read(CANARIES, K1="canary-1")
    state = State(pepper=Secret("c0" * 32), master_key=None)
    snapshot = compile_snapshot(loaded.settings, loaded.environment, state, loaded.report)
    shown = " ".join(
        [
            repr(loaded),
            str(loaded.settings),
            str(loaded.report.warnings),
            repr(state),
            repr(snapshot),
            f"{snapshot}",
            repr(snapshot.deployments),
            repr(snapshot.auth),
        ]
    )
    assert "canary" not in shown
    assert "c0c0" not in shown
    assert b"canary-1" in snapshot.encode()


def test_no_secret_shows_in_a_refusal() -> None:
    broken = (
        CANARIES.replace("https://a.example", "https://canary:canary@a.example/")
        .replace("canary-5-of-a-client", "canary")
        .replace("canary-6-of-the-admin", "canary")
    )
    loaded = read(broken, K1="canary-1 with a space")
    with pytest.raises(SettingsError) as caught:
        compile_snapshot(loaded.settings, loaded.environment, STATE, loaded.report)
    assert len(caught.value.problems) == 4
    assert "canary" not in str(caught.value)
