"""Entries of the model list to deployments."""

import pytest

from llmgw import _native
from llmgw.model import Operation
from tests.unit.configurations import compiled, deployments, problems, warnings


def entry(params: str, more: str = "") -> str:
    return f"model_list: [{{model_name: a, params: {{{params}}}{more}}}]"


def test_a_prefix_tells_the_provider_and_is_not_sent() -> None:
    (only,) = deployments(compiled(entry("model: groq/llama-3, api_key: env:K"), K="k"), "a")
    assert (only.provider, only.model) == ("groq", "llama-3")


def test_a_model_name_may_hold_slashes() -> None:
    text = entry("model: openai/org/model-7b, api_base: 'http://127.0.0.1:1/v1', api_key: env:K")
    (only,) = deployments(compiled(text, K="k"), "a")
    assert only.model == "org/model-7b"


def test_an_address_without_a_provider_is_an_openai_compatible_host() -> None:
    (only,) = deployments(compiled(entry("model: llama3, base_url: 'http://127.0.0.1:1/v1'")), "a")
    assert (only.provider, only.model) == ("openai", "llama3")


def test_headers_of_the_entry_join_and_replace_the_providers() -> None:
    text = entry("model: openai/m, api_key: env:K, extra_headers: {X-Team: one, Authorization: env:A}")
    (only,) = deployments(compiled(text, K="k", A="Bearer other"), "a")
    assert only.headers == (("authorization", "Bearer other"), ("x-team", "one"))


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "a b", "x:y", ""])
def test_a_header_that_would_change_the_framing_is_refused(name: str) -> None:
    found = problems(entry(f"model: mock/m, extra_headers: {{'{name}': one}}"))
    assert [problem.rpartition(": ")[2] for problem in found] == ["not a header that can be set"]


def test_a_header_value_with_a_line_break_is_refused() -> None:
    found = problems(entry("model: mock/m, extra_headers: {x: env:CANARY}"), CANARY="a\r\nx-admin: canary")
    assert len(found) == 1
    assert "canary" not in found[0]


@pytest.mark.parametrize(
    ("mode", "operations"),
    [
        ("chat", {Operation.CHAT_COMPLETIONS, Operation.RESPONSES}),
        ("embedding", {Operation.EMBEDDINGS}),
        ("completion", {Operation.COMPLETIONS}),
    ],
)
def test_a_mode_restricts_the_operations(mode: str, operations: set[Operation]) -> None:
    snapshot = compiled(entry("model: mock/m", f", model_info: {{mode: {mode}}}"))
    assert set(deployments(snapshot, "a")[0].urls) == operations


def test_a_mode_that_is_not_served_leaves_the_deployment_out() -> None:
    text = entry("model: mock/m", ", model_info: {mode: realtime}")
    assert compiled(text).models == {}
    assert warnings(text) == [
        "llmgw.yaml:1: model_list[0].model_info.mode: "
        "left out: the provider serves nothing of the mode 'realtime' here",
        "llmgw.yaml:1: model_list: none of these deployments can be served",
    ]


def test_an_id_is_made_of_provider_and_model_and_numbered_when_taken() -> None:
    text = """
        model_list:
          - {model_name: a, params: {model: mock/m}}
          - {model_name: a, params: {model: mock/m}}
          - {model_name: b, params: {model: mock/n}, model_info: {id: mine}}
        """
    assert [one.id for one in compiled(text).deployments] == ["mock/m", "mock/m#2", "mine"]


def test_a_made_id_gives_way_to_a_given_one() -> None:
    text = """
        model_list:
          - {model_name: a, params: {model: mock/m}}
          - {model_name: a, params: {model: mock/n}, model_info: {id: mock/m}}
        """
    assert [one.id for one in compiled(text).deployments] == ["mock/m#2", "mock/m"]


def test_an_id_given_twice_is_told() -> None:
    text = """
        model_list:
          - {model_name: a, params: {model: mock/m}, model_info: {id: one}}
          - {model_name: b, params: {model: mock/n}, model_info: {id: one}}
        """
    assert problems(text) == [
        "llmgw.yaml:4: model_list[1].model_info.id: the id 'one' is taken by another deployment"
    ]


def test_deadlines_of_the_entry_win_over_the_routers() -> None:
    text = """
        model_list:
          - {model_name: a, params: {model: mock/m, timeout: 5, stream_timeout: 2, total_timeout: 50}}
          - {model_name: b, params: {model: mock/m}}
        router_settings: {timeout: 40, connect_timeout: 3}
        """
    snapshot = compiled(text)
    (first,), (second,) = deployments(snapshot, "a"), deployments(snapshot, "b")
    assert (first.timeouts.first_byte, first.timeouts.idle, first.timeouts.total) == (5, 2, 50)
    assert (second.timeouts.connect, second.timeouts.first_byte, second.timeouts.idle) == (3, 40, 40)


def test_a_mistyped_provider_is_told_with_the_one_meant() -> None:
    assert problems(entry("model: opnai/m")) == [
        "llmgw.yaml:1: model_list[0].params.model: unknown provider 'opnai'; did you mean 'openai'? "
        "(openai/… with api_base is any other host)"
    ]


def test_a_model_without_a_provider_asks_for_one() -> None:
    (found,) = problems(entry("model: llama3"))
    assert found.endswith("which provider? write provider/model")


def test_a_missing_credential_is_told_with_its_place() -> None:
    (found,) = problems("model_list:\n  - model_name: a\n    litellm_params:\n      model: openai/m\n")
    assert found == (
        "llmgw.yaml:3: model_list[0].litellm_params.api_key: "
        "no credential: set OPENAI_API_KEY, or give api_key"
    )


def test_a_reference_that_leads_nowhere_is_told_with_its_line() -> None:
    text = "model_list:\n  - model_name: a\n    params:\n      model: openai/m\n      api_key: env:NOWHERE\n"
    assert problems(text) == [
        "llmgw.yaml:5: model_list[0].params.api_key: the environment variable NOWHERE is not set"
    ]


def test_two_addresses_are_refused() -> None:
    text = entry("model: openai/m, api_key: env:K, api_base: 'http://10.0.0.1', base_url: 'http://10.0.0.2'")
    (found,) = problems(text, K="k")
    assert found.endswith("give either api_base or base_url")


@pytest.mark.parametrize(
    ("public", "routed", "reason"),
    [
        ("a", "mock/*", "a '*' needs one in model_name"),
        ("*/*", "mock/*", "only one '*' is allowed"),
        ("*", "mock/**", "only one '*' is allowed"),
    ],
)
def test_stars_have_to_agree(public: str, routed: str, reason: str) -> None:
    (found,) = problems(f"model_list: [{{model_name: '{public}', params: {{model: '{routed}'}}}}]")
    assert reason in found


def test_every_wrong_entry_is_told() -> None:
    text = """
        model_list:
          - {model_name: a, params: {model: opnai/m}}
          - {model_name: b, params: {model: openai/m}}
          - {model_name: c, params: {model: "mock/m?x"}}
        """
    assert [problem.split(":")[1] for problem in problems(text)] == ["3", "4", "5"]


@pytest.mark.parametrize(
    ("model", "counted_as"),
    [
        ("openai/gpt-4o", "gpt-4o"),
        ("openai/*", "gpt-4o"),
        ("openai/text-embedding-3-small", "text-embedding-3-small"),
        ("anthropic/*", "claude-sonnet"),
        ("groq/llama-3.1-8b-instant", "llama-3.1-8b-instant"),
    ],
)
def test_tokens_are_counted_as_the_model_does_or_as_its_provider_mostly_does(
    model: str, counted_as: str
) -> None:
    text = f"model_list: [{{model_name: 'a*', params: {{model: '{model}', api_key: env:K}}}}]"
    assert compiled(text, K="k").deployments[0].tokenizer == _native.token_family(counted_as)


def test_an_opaque_name_is_counted_as_its_base_model() -> None:
    text = entry("model: mock/eu-deployment-7", ", model_info: {base_model: gpt-4}")
    assert compiled(text).deployments[0].tokenizer == _native.token_family("gpt-4")


def test_an_opaque_name_is_known_by_its_base_model() -> None:
    text = entry(
        "model: azure_ai/my-claude, api_base: https://x.example, api_key: k",
        ", model_info: {base_model: claude-3-haiku}",
    )
    (deployment,) = compiled(text).deployments
    assert (deployment.base_model, deployment.native_schema) == ("claude-3-haiku", False)


@pytest.mark.parametrize(
    ("model", "info", "takes_urls"),
    [
        ("model: openai/m, api_key: k", "", True),
        ("model: ollama/m", "", False),
        ("model: ollama/m", ", model_info: {supports_url_media: true}", True),
        ("model: openai/m, api_key: k", ", model_info: {supports_url_media: false}", False),
    ],
)
def test_whether_a_host_fetches_media_is_known_of_it_or_said(model: str, info: str, takes_urls: bool) -> None:
    (deployment,) = compiled(entry(model, info)).deployments
    assert deployment.takes_urls is takes_urls
