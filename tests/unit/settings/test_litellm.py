"""LiteLLM's files load as they are. The files here are modelled on its examples."""

import pytest

from llmgw.settings.litellm import NOT_ACTED_ON
from tests.unit.configurations import compiled, deployments, problems, warnings

ENVIRONMENT = {
    "AZURE_API_BASE": "https://one.azure.example",
    "AZURE_API_KEY": "azure-credential",
    "COHERE_API_KEY": "cohere-credential",
    "FAKE_BASE": "http://127.0.0.1:9/",
    "GROQ_API_KEY": "groq-credential",
    "ANTHROPIC_API_KEY": "anthropic-credential",
    "OPENAI_API_KEY": "openai-credential",
    "LITELLM_MASTER_KEY": "sk-a-good-long-master-key",
    "REDIS_HOST": "localhost",
}

FILES = {
    "one model": """
        model_list:
          - model_name: gpt-5-mini
            litellm_params:
              model: gpt-5-mini
        """,
    "a name alone": """
        model_list:
          - model_name: gpt-3.5-turbo
        litellm_settings:
          success_callback: ["langfuse"]
        """,
    "azure twice": """
        model_list:
          - model_name: chat-one
            litellm_params:
              model: azure/first
              api_base: https://first.azure.example/
              api_version: "2023-05-15"
              api_key:  os.environ/AZURE_API_KEY
              tpm: 20_000
              timeout: 5
              stream_timeout: 0.5
              max_retries: 4
          - model_name: chat-two
            litellm_params: {model: azure/second, api_key: os.environ/AZURE_API_KEY,
                             api_base: "https://second.azure.example/", tpm: 100_000}
        """,
    "an embedding at azure": """
        model_list:
          - model_name: text-embedding-ada-002
            litellm_params:
              model: azure/embedding
              api_base: "os.environ/AZURE_API_BASE"
              api_key: "os.environ/AZURE_API_KEY"
              api_version: "2023-07-01-preview"
            model_info: {mode: embedding, base_model: text-embedding-ada-002}
        general_settings: {background_health_checks: True, health_check_interval: 300}
        """,
    "rates beside the parameters": """
        litellm_settings: {drop_params: True}
        model_list:
          - {model_name: a, litellm_params: {model: gpt-3.5-turbo, api_key: sk-one}, tpm: 20000, rpm: 3}
          - {model_name: a, litellm_params: {model: gpt-3.5-turbo, api_key: sk-two}, tpm: 20000, rpm: 3}
        environment_variables:
          REDIS_HOST: localhost
          REDIS_PORT:
        """,
    "wildcards": """
        model_list:
          - {model_name: "*", litellm_params: {model: openai/*, api_key: os.environ/OPENAI_API_KEY}}
          - {model_name: "anthropic/*", litellm_params: {model: "anthropic/*"}}
          - {model_name: "groq/*", litellm_params: {model: "groq/*", api_key: os.environ/GROQ_API_KEY}}
          - model_name: bedrock/batch-claude
            litellm_params: {model: bedrock/claude, s3_bucket_name: bucket, s3_region_name: us-west-2}
            model_info: {mode: batch}
        litellm_settings:
          num_retries: 5
          request_timeout: 600
          context_window_fallbacks: [{"gpt-5-mini": ["gpt-5.5"]}]
          default_team_settings: [{team_id: one, langfuse_secret: os.environ/NOT_SET}]
        files_settings: [{custom_llm_provider: openai, api_key: os.environ/NOT_SET}]
        general_settings: {master_key: os.environ/LITELLM_MASTER_KEY}
        """,
    "guardrails and policies": """
        model_list:
          - model_name: fake
            litellm_params: {model: openai/fake, api_key: fake-key, api_base: os.environ/FAKE_BASE, tags: [a]}
            model_info: {id: team-a-model, supports_vision: True}
          - {model_name: rerank, litellm_params: {model: cohere/rerank-english-v3.0}}
        guardrails: [{guardrail_name: one, litellm_params: {guardrail: bedrock, mode: during_call}}]
        policies: {strict: {guardrails: {add: [one]}}}
        policy_attachments: [{policy: strict, models: [fake]}]
        router_settings: {enable_tag_filtering: True}
        litellm_settings:
          cache: true
          callbacks: ["otel", "prometheus"]
          require_auth_for_metrics_endpoint: False
        """,
    "a router that chooses": """
        model_list:
          - model_name: cheap
            litellm_params:
              model: auto_router/adaptive_router
              adaptive_router_config: {available_models: ["fast"], weights: {quality: 0.7, cost: 0.3}}
          - model_name: fast
            litellm_params: {model: openai/gpt-4o-mini, input_cost_per_token: 0.00000015}
            model_info: {adaptive_router_preferences: {quality_tier: 2, strengths: []}}
        """,
    "passing through": """
        model_list: [{model_name: claude, litellm_params: {model: anthropic/claude-sonnet}}]
        general_settings:
          custom_auth: custom_auth_basic.user_api_key_auth
          database_url: "postgresql://user:password@localhost:5432/litellm"
          coordination_redis: {host: os.environ/REDIS_HOST, port: os.environ/NOT_SET}
          pass_through_endpoints:
            - {path: /azure, target: os.environ/AZURE_API_BASE, headers: {Authorization: os.environ/NOT_SET}}
        search_tools: [{search_tool_name: one, litellm_params: {search_provider: perplexity}}]
        """,
}


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_accepted_as_it_is(name: str) -> None:
    assert problems(FILES[name], **ENVIRONMENT) == []


def test_what_is_not_acted_on_is_listed() -> None:
    found = " ".join(warnings(FILES["guardrails and policies"], **ENVIRONMENT))
    for key in ("guardrails", "policies", "litellm_settings.callbacks", "litellm_params.tags"):
        assert f"{key}: known from LiteLLM, but not acted on yet" in found


def test_a_provider_that_is_not_served_is_left_out_with_a_warning() -> None:
    found = warnings(FILES["a router that chooses"], **ENVIRONMENT)
    assert any("left out: the provider 'auto_router' is not served yet" in warning for warning in found)


def test_a_name_alone_is_the_models_name_too() -> None:
    (only,) = deployments(compiled(FILES["a name alone"], **ENVIRONMENT), "gpt-3.5-turbo")
    assert (only.provider, only.model) == ("openai", "gpt-3.5-turbo")


def test_no_key_is_both_acted_on_and_ignored() -> None:
    for kind, ignored in NOT_ACTED_ON.items():
        assert not ignored & set(kind.__struct_encode_fields__), kind
