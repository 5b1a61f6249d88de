"""The OpenAI endpoints: those of the native edge, and the list of models."""

from llmgw._native import Gateway
from llmgw.endpoints.base import Access, Endpoint, Reply, Request, json_reply
from llmgw.errors import ModelNotFound
from llmgw.model import Operation

_PREFIXES = ("/v1", "")
_AZURE = "/openai/deployments/{deployment}"
_AZURE_OPERATIONS = (Operation.CHAT_COMPLETIONS, Operation.COMPLETIONS, Operation.EMBEDDINGS)
_SUMMARIES = {
    Operation.CHAT_COMPLETIONS: "Create a chat completion, streamed or whole.",
    Operation.COMPLETIONS: "Complete a text, streamed or whole.",
    Operation.EMBEDDINGS: "Turn texts into vectors.",
    Operation.RESPONSES: "Create a model response, streamed or whole.",
    Operation.MODERATIONS: "Classify texts.",
    Operation.MESSAGES: "Create a message (Anthropic), streamed or whole.",
    Operation.COUNT_MESSAGE_TOKENS: "Count the tokens of a message (Anthropic).",
}


def openai_endpoints(gateway: Gateway, started: int) -> list[Endpoint]:
    """The rows of this family. `started`: Unix seconds, shown as the models' `created`."""

    async def list_models(request: Request) -> Reply:
        names = gateway.visible_models(_alias(request))
        return json_reply({"object": "list", "data": [_model(name, started) for name in names]})

    async def one_model(request: Request) -> Reply:
        name = request.parameters["model"]
        if not gateway.may_use(_alias(request), name):
            raise ModelNotFound(f"The model `{name[:100]}` does not exist here.", param="model")
        return json_reply(_model(name, started))

    rows = [
        Endpoint(
            method="POST", path=path, access=Access.KEY, summary=_SUMMARIES[operation], operation=operation
        )
        for operation in _SUMMARIES
        for path in _paths(operation)
    ]
    for prefix in _PREFIXES:
        rows.append(
            Endpoint(
                method="GET",
                path=f"{prefix}/models",
                access=Access.KEY,
                summary="List the models that the key may use.",
                handler=list_models,
            )
        )
        rows.append(
            Endpoint(
                method="GET",
                path=f"{prefix}/models/{{model*}}",
                access=Access.KEY,
                summary="Describe one model.",
                handler=one_model,
            )
        )
    return rows


def _paths(operation: Operation) -> list[str]:
    paths = [prefix + operation.path for prefix in _PREFIXES]
    if operation in _AZURE_OPERATIONS:
        paths.append(_AZURE + operation.path)
    return paths


def _alias(request: Request) -> str:
    return request.principal.alias if request.principal else ""


def _model(name: str, created: int) -> dict[str, object]:
    return {"id": name, "object": "model", "created": created, "owned_by": "llmgw"}
