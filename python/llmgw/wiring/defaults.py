"""What is served when the settings name no model: the mock, and providers with a key at hand."""

from llmgw.providers.base import Provider, Target, TargetError, first_variable
from llmgw.providers.gemini import EMBEDDING_NAMES, GEMINI
from llmgw.providers.openai import BARE_NAMES, OPENAI
from llmgw.registry import Registry
from llmgw.settings.environment import Environment
from llmgw.settings.models import ModelEntry, Params

_ADDRESSES = ("api_base", "aws_region_name")


def default_models(providers: Registry[Provider], environment: Environment) -> tuple[ModelEntry, ...]:
    """`mock/*`, `provider/*` for each provider whose key is set, and OpenAI's own names."""
    names = ["mock/*"]
    for provider in providers:
        if not first_variable(provider.key_variables, environment):
            continue
        if not _has_address(provider, environment):
            continue
        names.append(f"{provider.name}/*")
        if provider.name == GEMINI:
            names.append(f"{GEMINI}/{EMBEDDING_NAMES}")
        if provider.name == OPENAI.name:
            names += BARE_NAMES
    return tuple(
        ModelEntry(model_name=name, params=Params(model=name if "/" in name else f"openai/{name}"))
        for name in names
    )


def _has_address(provider: Provider, environment: Environment) -> bool:
    """Azure's address and Bedrock's region, for two, are the user's own and may not be set."""
    try:
        provider.connect(Target(model="*"), environment)
    except TargetError as problem:
        return problem.field not in _ADDRESSES
    return True
