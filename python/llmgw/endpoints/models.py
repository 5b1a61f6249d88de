"""The list of models, in the dialect of whoever asks."""

from datetime import UTC, datetime

from llmgw._native import Gateway, KeyHolder
from llmgw.endpoints.base import Access, Dialect, Endpoint, Handler, Reply, Request, json_reply
from llmgw.errors import ModelNotFound, Unauthenticated

_LISTS = ("/v1/models", "/models", "/v1beta/models")
_GEMINI_NAME = "models/"
_GEMINI_METHODS = ("generateContent", "countTokens")


def model_endpoints(gateway: Gateway, started: int) -> list[Endpoint]:
    """The rows of this family. `started`: Unix seconds, shown as the time at which models were made."""

    async def list_models(request: Request) -> Reply:
        holder = _holder(request)
        names = gateway.visible_models(holder)
        if request.dialect is not Dialect.OPENAI:  # the others' clients chat, and offer every name to choose
            names = [name for name in names if "*" not in name and gateway.chats(holder, name)]
        return json_reply(_LISTINGS[request.dialect](names, started))

    async def one_model(request: Request) -> Reply:
        name = request.parameters["model"]
        if not gateway.may_use(_holder(request), name):
            raise ModelNotFound(f"The model `{name[:100]}` does not exist here.", param="model")
        return json_reply(_MODELS[request.dialect](name, started))

    rows = []
    for path in _LISTS:
        rows.append(_row(path, "List the models that the key may use.", list_models))
        rows.append(_row(f"{path}/{{model*}}", "Describe one model.", one_model))
    return rows


def _row(path: str, summary: str, handler: Handler) -> Endpoint:
    return Endpoint(method="GET", path=path, permission=Access.KEY, summary=summary, handler=handler)


def _holder(request: Request) -> KeyHolder:
    """Whoever asks: the rows here ask for a key."""
    if request.holder is None:
        raise Unauthenticated("No API key was given.")
    return request.holder


def _openai_model(name: str, created: int) -> dict[str, object]:
    return {"id": name, "object": "model", "created": created, "owned_by": "llmgw"}


def _openai_list(names: list[str], created: int) -> dict[str, object]:
    return {"object": "list", "data": [_openai_model(name, created) for name in names]}


def _anthropic_model(name: str, created: int) -> dict[str, object]:
    moment = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"type": "model", "id": name, "display_name": name, "created_at": moment}


def _anthropic_list(names: list[str], created: int) -> dict[str, object]:
    """All on one page."""
    return {
        "data": [_anthropic_model(name, created) for name in names],
        "has_more": False,
        "first_id": names[0] if names else None,
        "last_id": names[-1] if names else None,
    }


def _gemini_model(name: str, _: int) -> dict[str, object]:
    return {
        "name": _GEMINI_NAME + name,
        "version": "001",
        "displayName": name,
        "supportedGenerationMethods": _GEMINI_METHODS,
    }


def _gemini_list(names: list[str], created: int) -> dict[str, object]:
    """All on one page."""
    return {"models": [_gemini_model(name, created) for name in names]}


_MODELS = {
    Dialect.OPENAI: _openai_model,
    Dialect.ANTHROPIC: _anthropic_model,
    Dialect.GEMINI: _gemini_model,
}
_LISTINGS = {
    Dialect.OPENAI: _openai_list,
    Dialect.ANTHROPIC: _anthropic_list,
    Dialect.GEMINI: _gemini_list,
}
