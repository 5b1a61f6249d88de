"""LiteLLM's `/model/info`: the models that the key may use."""

from llmgw._native import Gateway
from llmgw.endpoints.base import Access, Endpoint, Reply, Request, json_reply
from llmgw.endpoints.litellm.rows import Fields
from llmgw.errors import Unauthenticated

_PATHS = ("/model/info", "/v1/model/info")


def model_info_endpoints(gateway: Gateway) -> list[Endpoint]:
    """The rows of this noun."""

    async def info(request: Request) -> Reply:
        holder = request.holder
        if holder is None:
            raise Unauthenticated("No API key was given.")
        names = gateway.visible_models(holder)
        return json_reply({"data": [_model(name, chats=gateway.chats(holder, name)) for name in names]})

    summary = "LiteLLM: describe the models that the key may use."
    return [
        Endpoint(method="GET", path=path, permission=Access.KEY, summary=summary, handler=info)
        for path in _PATHS
    ]


def _model(name: str, *, chats: bool) -> Fields:
    """A model group. What is behind it is for operators, who read `/api/v1/models` and the settings."""
    return {
        "model_name": name,
        "litellm_params": {"model": name},
        "model_info": {"id": name, "mode": "chat" if chats else None},
    }
