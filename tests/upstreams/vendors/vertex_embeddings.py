"""Vertex AI's embeddings: `predict`, and the `embedContent` of Gemini's models, each for its own models."""

import re
from typing import Any

from tests.upstreams.vendors import vendor
from tests.upstreams.vendors.checks import Check, boolean, integer, items, record, require, string
from tests.upstreams.vendors.gemini_generate import VENDOR as GEMINI
from tests.upstreams.vendors.vendor import Answer, Call, Gist, HttpError, Vendor

PATH = re.compile(
    r"/v1(?:beta1)?(?:/projects/[\w-]+/locations/[\w-]+)?/publishers/google/models/"
    r"([\w.@-]+):(predict|embedContent|batchEmbedContents)"
)
TASK = string(r"[A-Z_]+")
CONTENT = record({"parts": items(record({"text": string(least=1)}), least=1)}, {"role": string()})
CONFIG = record(
    {},
    {"taskType": TASK, "title": string(), "outputDimensionality": integer(1), "autoTruncate": boolean},
)
ONE = record({"content": CONTENT}, {"embedContentConfig": CONFIG})
SHAPES: dict[str, Check] = {
    "predict": record(
        {
            "instances": items(
                record({"content": string(least=1)}, {"task_type": TASK, "title": string()}),
                least=1,
                most=250,
            )
        },
        {"parameters": record({}, {"outputDimensionality": integer(1), "autoTruncate": boolean})},
    ),
    "embedContent": ONE,
    "batchEmbedContents": record({"requests": items(ONE, least=1, most=100)}),
}


def methods_of(model: str) -> set[str]:
    """By which methods a model is asked."""
    if "maas" in model:
        return {"embedContent"}
    return {"embedContent", "batchEmbedContents"} if "gemini" in model else {"predict"}


def vector(text: str, length: int | None = None) -> list[float]:
    """The vector of a text: as long as asked for, and telling texts apart."""
    return [len(text) / 4, *[-0.5] * ((length or 3) - 1)]


def _called(call: Call) -> tuple[str, str]:
    found = PATH.fullmatch(call.path)
    if found is None:
        raise HttpError(404, f"Not found: {call.path}")
    return found[1], found[2]


def _check(call: Call) -> None:
    model, method = _called(call)
    if call.request.header("x-goog-api-key") != vendor.CREDENTIAL:
        raise HttpError(401, "Request had invalid authentication credentials.")
    if method not in methods_of(model):
        raise HttpError(400, "Precondition check failed.")
    SHAPES[method](call.body, ())
    too_long = any(len(text) > 1000 for text, _ in _asked(method, call.body))
    require(not too_long, (), "The input token count exceeds the maximum number of tokens allowed.")


def _asked(method: str, body: dict[str, Any]) -> list[tuple[str, int | None]]:
    if method == "predict":
        length = body.get("parameters", {}).get("outputDimensionality")
        return [(each["content"], length) for each in body["instances"]]
    all_of_it = body["requests"] if method == "batchEmbedContents" else [body]
    return [
        (
            "".join(part["text"] for part in each["content"]["parts"]),
            each.get("embedContentConfig", {}).get("outputDimensionality"),
        )
        for each in all_of_it
    ]


def _answer(call: Call) -> Answer:
    _, method = _called(call)
    asked = _asked(method, call.body)
    vectors = [{"values": vector(text, length)} for text, length in asked]
    counts = [len(text.split()) for text, _ in asked]
    if method == "predict":
        predictions = [
            {"embeddings": {**each, "statistics": {"truncated": False, "token_count": float(count)}}}
            for each, count in zip(vectors, counts, strict=True)
        ]
        return vendor.json_answer(
            200, {"predictions": predictions, "metadata": {"billableCharacterCount": 1}}
        )
    usage = {"usageMetadata": {"promptTokenCount": sum(counts), "totalTokenCount": sum(counts)}}
    if method == "batchEmbedContents":
        return vendor.json_answer(200, {"embeddings": vectors, **usage})
    return vendor.json_answer(200, {"embedding": vectors[0], "truncated": False, **usage})


def _gist(_: Call) -> Gist:
    raise AssertionError("every request that fits is answered by `special`")


VENDOR = Vendor("vertex_embeddings", _check, _gist, GEMINI.refuse, special=_answer)
