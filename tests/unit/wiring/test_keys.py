"""Keys to digests."""

import msgspec
import pytest

from llmgw.access.keys import digest
from llmgw.gateway.snapshot import VirtualKey
from llmgw.settings.problems import SettingsError
from llmgw.settings.schema import KeyEntry
from llmgw.settings.secrets import Secret
from tests.unit.configurations import STATE, compiled, compiled_over, problems, warnings

LONG = "a-long-enough-key-of-our-own"
DIGEST = "0123456789abcdef" * 4


def admin_digest(text: str = "", **environment: str) -> str:
    (admin,) = [key for key in compiled(text, **environment).auth.keys if key.admin]
    return admin.digest


def test_the_generated_admin_key_is_taken_when_none_is_given() -> None:
    assert STATE.master_key is not None
    assert admin_digest() == digest(STATE.master_key, STATE.pepper)


def test_the_admin_key_of_the_settings_wins_over_the_generated_one() -> None:
    assert admin_digest("general_settings: {master_key: env:K}", K=LONG) == digest(Secret(LONG), STATE.pepper)


@pytest.mark.parametrize("name", ["LLMGW_MASTER_KEY", "LITELLM_MASTER_KEY"])
def test_the_admin_key_of_the_environment_wins_over_all(name: str) -> None:
    found = admin_digest("general_settings: {master_key: env:NOWHERE}", **{name: LONG})
    assert found == digest(Secret(LONG), STATE.pepper)


@pytest.mark.parametrize("weak", ["sk-1234", "short-key"])
def test_a_weak_admin_key_is_refused_without_repeating_it(weak: str) -> None:
    (found,) = problems(f"general_settings: {{master_key: {weak}}}")
    assert found.startswith("llmgw.yaml:1: general_settings.master_key: this admin key cannot be used")
    assert weak not in found


def test_a_weak_admin_key_of_the_environment_is_told_by_the_variables_name() -> None:
    (found,) = problems("", LLMGW_MASTER_KEY="sk-1234")
    assert "LLMGW_MASTER_KEY: this admin key cannot be used" in found


def test_without_any_admin_key_the_gateway_does_not_start() -> None:
    with pytest.raises(SettingsError, match="no admin key"):
        compiled_over(msgspec.structs.replace(STATE, master_key=None), "")


def test_a_virtual_key_is_kept_as_its_digest_with_its_limits() -> None:
    text = """
        keys:
          - {alias: a, key: env:K, models: [gpt-4o, "openai/*"], rpm_limit: 5, tpm_limit: 7,
             model_map: {"claude-*": gpt-4o}, expires: 1970-01-02, blocked: true}
        """
    assert compiled(text, K=LONG).auth.keys[1] == VirtualKey(
        alias="a",
        digest=digest(Secret(LONG), STATE.pepper),
        models=("gpt-4o", "openai/*"),
        model_map={"claude-*": "gpt-4o"},
        expires_at=86_400,
        blocked=True,
        rpm=5,
        tpm=7,
    )


def test_keys_of_the_state_folder_are_served_too() -> None:
    state = msgspec.structs.replace(STATE, keys=(KeyEntry(alias="made", digest=DIGEST),))
    keys = compiled_over(state, f"keys: [{{alias: a, key: {LONG}}}]").auth.keys
    assert [key.alias for key in keys] == ["master", "a", "made"]


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (f"{{alias: master, key: {LONG}}}", "the alias 'master' is taken by the admin key"),
        (f"{{alias: a, key: {LONG}}}, {{alias: a, digest: {DIGEST}}}", "'a' is taken by another key"),
        (f"{{alias: a, key: {LONG}}}, {{alias: b, key: {LONG}}}", "this key is the same as that of 'a'"),
        ("{alias: a, key: sk-1234}", "this key cannot be used"),
        ("{alias: a, key: env:NOWHERE}", "the environment variable NOWHERE is not set"),
        ("{alias: a}", "give either key or digest"),
        (f"{{alias: a, key: {LONG}, digest: {DIGEST}}}", "give either key or digest"),
        ("{alias: a, digest: abc}", "Expected `str` matching regex"),
        (f"{{alias: a, key: {LONG}, expires: soon}}", "expected a date or time"),
        (f"{{alias: a, key: {LONG}, models: ['*/*']}}", "only one '*' is allowed"),
        (f"{{alias: a, key: {LONG}, model_map: {{a: 'b*'}}}}", "in the meaning if in the name"),
        (f'{{alias: "a\\nb", key: {LONG}}}', "Expected `str` matching regex"),
    ],
)
def test_a_key_that_cannot_be_is_told(keys: str, reason: str) -> None:
    found = problems(f"keys: [{keys}]")
    assert len(found) == 1
    assert reason in found[0]
    assert LONG not in found[0]


def test_a_problem_of_the_state_folders_keys_is_told_with_their_file() -> None:
    state = msgspec.structs.replace(STATE, keys=(KeyEntry(alias="a", digest=DIGEST),))
    with pytest.raises(SettingsError) as caught:
        compiled_over(state, f"keys: [{{alias: a, key: {LONG}}}]")
    assert str(caught.value) == "keys.yaml: keys[0].alias: the alias 'a' is taken by another key"


def test_a_key_for_a_model_that_nobody_serves_is_warned_of() -> None:
    text = """
        model_list:
          - {model_name: large, params: {model: mock/m}}
          - {model_name: "team/*", params: {model: mock/*}}
        keys:
          - {alias: a, digest: %s, models: [larg, large, team/x, "other/*"], model_map: {b: larg}}
        """
    told = "no model of the name 'larg' is served; did you mean 'large'?"
    assert warnings(text % DIGEST) == [
        f"llmgw.yaml:6: keys[0].models[0]: {told}",
        f"llmgw.yaml:6: keys[0].model_map.b: {told}",
    ]


def test_what_a_key_is_bound_to_is_taken_over() -> None:
    text = f"""
        keys:
          - alias: a
            digest: {DIGEST}
            endpoints: [chat.*, files]
            networks: [10.0.0.0/8, 192.0.2.7]
            regions: [eu-*]
            tags: [trial]
            priority: low
    """
    (key,) = [key for key in compiled(text).auth.keys if not key.admin]
    assert key.endpoints == ("chat.*", "files")
    assert key.networks == ("10.0.0.0/8", "192.0.2.7/32")
    assert (key.regions, key.tags, key.priority) == (("eu-*",), ("trial",), "low")


def test_a_network_that_is_none_is_told() -> None:
    (found,) = problems(f"keys: [{{alias: a, digest: {DIGEST}, networks: [10.0.0.1/8]}}]")
    assert "keys[0].networks[0]: expected a network such as 10.0.0.0/8" in found


def test_a_proxy_that_is_no_network_is_told() -> None:
    (found,) = problems("server: {trusted_proxies: [proxy.example.com]}")
    assert "server.trusted_proxies[0]: expected a network" in found
