"""LiteLLM's admin API, as far as llmgw has the same thing, translated; one file a noun."""

from llmgw._native import Gateway
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.base import Endpoint
from llmgw.endpoints.litellm.keys import key_endpoints
from llmgw.endpoints.litellm.models import model_info_endpoints
from llmgw.endpoints.litellm.spend import spend_endpoints
from llmgw.endpoints.litellm.teams import team_endpoints
from llmgw.endpoints.litellm.users import user_endpoints


def litellm_endpoints(desk: Desk, gateway: Gateway) -> list[Endpoint]:
    """The rows of LiteLLM's admin API."""
    return [
        *key_endpoints(desk),
        *team_endpoints(desk),
        *user_endpoints(desk),
        *model_info_endpoints(gateway),
        *spend_endpoints(desk),
    ]
