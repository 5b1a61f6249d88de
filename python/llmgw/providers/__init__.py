"""The list of providers, and how a model name tells its provider."""

from fnmatch import fnmatchcase

from llmgw.providers.azure import Azure
from llmgw.providers.base import Provider
from llmgw.providers.compatible import COMPATIBLE
from llmgw.providers.mock import Mock
from llmgw.providers.openai import BARE_NAMES, OPENAI
from llmgw.registry import Registry

_NOT_SERVED = """
    a2a ai21 ai21_chat aiml auto_router azure_ai baseten bedrock bedrock_converse bytez clarifai
    cloudflare codestral custom databricks docker_model_runner elevenlabs deepgram empower
    featherless_ai friendliai galadriel gigachat github_copilot gradient_ai heroku infinity
    lambda_ai langgraph litellm_proxy maritalk meta_llama minimax morph nlp_cloud nscale oci
    oobabooga ovhcloud petals predibase publicai replicate sagemaker sagemaker_chat sagemaker_nova
    sap snowflake topaz triton v0 vertex_ai vertex_ai_beta volcengine voyage wandb watsonx
    watsonx_text xinference zai
"""

NOT_SERVED = frozenset(_NOT_SERVED.split())
"""Providers of LiteLLM's that a file may name: their deployments are left out with a warning."""


def providers() -> Registry[Provider]:
    """The built-in providers, in a registry of its own that plugins may add to."""
    built_in: tuple[Provider, ...] = (OPENAI, Azure(), Mock(), *COMPATIBLE)
    return Registry("provider", built_in)


def split_model(model: str, named: str | None = None) -> tuple[str | None, str]:
    """Provider name and the provider's model name of `provider/model`.

    `named` is the provider given apart, if any. OpenAI's own names need no prefix; for other names
    without one, the provider is `None`.
    """
    if named is not None:
        return named, model.removeprefix(named + "/")
    provider, slash, rest = model.partition("/")
    if slash:
        return provider, rest
    if any(fnmatchcase(model, pattern) for pattern in BARE_NAMES):
        return OPENAI.name, model
    return None, model
