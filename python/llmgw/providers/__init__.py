"""The list of providers, and how a model name tells its provider."""

from fnmatch import fnmatchcase

from llmgw.providers.anthropic import Anthropic
from llmgw.providers.azure import Azure
from llmgw.providers.base import Provider
from llmgw.providers.bedrock import Bedrock
from llmgw.providers.cohere import Cohere
from llmgw.providers.foundry import Foundry
from llmgw.providers.gemini import Gemini
from llmgw.providers.hosts import HOSTS
from llmgw.providers.mock import Mock
from llmgw.providers.openai import BARE_NAMES, OPENAI
from llmgw.providers.vertex import Vertex
from llmgw.registry import Registry

_NOT_SERVED = """
    a2a a2a_agent anthropic_text auto_router aws_polly aws_textract azure_speech bedrock_mantle
    bespoke black_forest_labs bytez chatgpt cursor custom databricks_agent datarobot deepgram
    elevenlabs empower eu_jev fal_ai gdc gigachat github_copilot langflow langgraph laya manus
    microsoft_365_copilot nace nlp_cloud nvidia_riva oci opencode_go parallel_ai petals
    predibase ragflow recraft reducto replicate runwayml sagemaker sagemaker_chat sagemaker_nova
    sap scaledown soniox stability strands_decider text-completion-codestral
    text-completion-inception topaz transcribe triton typesafe voyage watsonx watsonx_text
"""

NOT_SERVED = frozenset(_NOT_SERVED.split())
"""Providers of LiteLLM's that a file may name: their deployments are left out with a warning."""


def providers() -> Registry[Provider]:
    """The built-in providers, in a registry of its own that plugins may add to."""
    built_in: tuple[Provider, ...] = (
        OPENAI,
        Anthropic(),
        Azure(),
        Bedrock(),
        Cohere(),
        Foundry(),
        Gemini(),
        Mock(),
        Vertex(),
        *HOSTS,
    )
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
