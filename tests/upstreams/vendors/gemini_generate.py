"""Gemini's generateContent: what it takes, what it refuses, and in which words.

Like all of Google's APIs it takes every field's name in camelCase and in snake_case.
"""

import re
from typing import Any

from tests.upstreams.vendors import vendor
from tests.upstreams.vendors.checks import (
    Check,
    Path,
    Refused,
    anything,
    base64_data,
    boolean,
    dotted,
    integer,
    items,
    mapping,
    number,
    one_of,
    record,
    require,
    string,
    values,
)
from tests.upstreams.vendors.vendor import Answer, Call, Gist, HttpError, Vendor

STATUSES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
PATH = re.compile(r"/v1(?:beta)?/models/([\w.-]+):(generateContent|streamGenerateContent|countTokens)")
FREE = {"args", "response", "parametersJsonSchema", "responseJsonSchema", "properties", "labels"}

# ── the shape of a request ──────────────────────────────────────────────────────────────────────


# What Google lets clients write before calls that came without a signature.
UNSIGNED = "skip_thought_signature_validator"


def _signature(value: Any, path: Path) -> None:
    if value == UNSIGNED:
        return
    base64_data(value, path)
    vendor.want_known_seal(value, path, "Thought signature is not valid.")


BLOB = record({"mimeType": string(r"[\w.+-]+/[\w.+-]+"), "data": base64_data}, {"displayName": string()})
FILE = record({"fileUri": string(r"https?://.+|gs://.+")}, {"mimeType": string(r"[\w.+-]+/[\w.+-]+")})
FUNCTION_NAME = string(r"[a-zA-Z_][\w.:-]{0,63}")
FUNCTION_CALL = record({"name": FUNCTION_NAME}, {"args": mapping, "id": string(least=1)})
RESULT_PART = record({}, {"inlineData": BLOB, "fileData": FILE})
FUNCTION_RESPONSE = record(
    {"name": FUNCTION_NAME, "response": mapping}, {"id": string(least=1), "parts": items(RESULT_PART)}
)
DATA: dict[str, Check] = {
    "text": string(),
    "inlineData": BLOB,
    "fileData": FILE,
    "functionCall": FUNCTION_CALL,
    "functionResponse": FUNCTION_RESPONSE,
}
PART_FIELDS = record(
    {}, {**DATA, "thought": boolean, "thoughtSignature": _signature, "mediaResolution": anything}
)


def _part(value: Any, path: Path) -> None:
    PART_FIELDS(value, path)
    found = [name for name in DATA if name in value]
    require(len(found) <= 1, path, "oneof field 'data' is already set")
    empty = not found or value.get("text") == ""
    require(
        not empty or "thoughtSignature" in value,
        path,
        "required oneof field 'data' must have one initialized field",
    )


CONTENT = record({"role": one_of("user", "model"), "parts": items(_part, least=1)})
TEXT_PART = record({"text": string(least=1)})
SYSTEM = record({"parts": items(TEXT_PART, least=1)}, {"role": string()})
TYPES = "(?i:string|number|integer|boolean|array|object|null)"


def _schema(value: Any, path: Path) -> None:
    """The subset of OpenAPI that `parameters` and `responseSchema` take."""
    mapping(value, path)
    limits = ("maxItems", "minItems", "minProperties", "maxProperties", "minLength", "maxLength")
    record(
        {} if "anyOf" in value else {"type": string(TYPES)},
        {
            "type": string(TYPES),
            **dict.fromkeys(("title", "description", "format", "pattern"), string()),
            **dict.fromkeys(limits, anything),
            **dict.fromkeys(("minimum", "maximum", "default", "example"), anything),
            "nullable": boolean,
            "enum": items(string()),
            "properties": values(_schema),
            "required": items(string()),
            "propertyOrdering": items(string()),
            "items": _schema,
            "anyOf": items(_schema),
        },
    )(value, path)
    empty = value.get("type", "").lower() == "object" and not value.get("properties")
    require(not empty, (*path, "properties"), "should be non-empty for OBJECT type")


DECLARATION = record(
    {"name": FUNCTION_NAME},
    {
        "description": string(),
        "parameters": _schema,
        "parametersJsonSchema": mapping,
        "response": _schema,
        "responseJsonSchema": mapping,
        "behavior": anything,
    },
)
TOOL = record(
    {},
    {"functionDeclarations": items(DECLARATION, least=1), "googleSearch": mapping, "codeExecution": mapping},
)
CALLING = record(
    {}, {"mode": one_of("AUTO", "ANY", "NONE", "VALIDATED"), "allowedFunctionNames": items(string())}
)
THINKING = record(
    {},
    {
        "includeThoughts": boolean,
        "thinkingBudget": integer(-1),
        "thinkingLevel": one_of(
            "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH", "minimal", "low", "medium", "high"
        ),
    },
)
GENERATION: dict[str, Check] = {
    "maxOutputTokens": integer(1),
    "temperature": number(0, 2),
    "topP": number(0, 1),
    "topK": integer(1),
    "candidateCount": integer(1, 8),
    "stopSequences": items(string(least=1), most=5),
    "seed": integer(),
    "presencePenalty": number(-2, 2),
    "frequencyPenalty": number(-2, 2),
    "responseLogprobs": boolean,
    "logprobs": integer(0, 20),
    "responseMimeType": one_of("text/plain", "application/json", "text/x.enum"),
    "responseSchema": _schema,
    "responseJsonSchema": mapping,
    "responseModalities": items(string()),
    "thinkingConfig": THINKING,
    "mediaResolution": anything,
    "speechConfig": anything,
    "imageConfig": anything,
}
SAFETY = record({"category": string(r"HARM_CATEGORY_\w+"), "threshold": string(r"[A-Z_]+")})
CONTENTS = {"contents": items(CONTENT, least=1)}
REQUEST = record(
    CONTENTS,
    {
        "systemInstruction": SYSTEM,
        "tools": items(TOOL),
        "toolConfig": record({}, {"functionCallingConfig": CALLING, "retrievalConfig": anything}),
        "generationConfig": record({}, GENERATION),
        "safetySettings": items(SAFETY),
        "cachedContent": string(),
        "labels": values(string()),
        "serviceTier": one_of("unspecified", "standard", "flex", "priority"),
        "store": boolean,
    },
)
COUNT_REQUEST = record({}, {**CONTENTS, "generateContentRequest": mapping})


def _camel(value: Any) -> Any:
    """The same with names in camelCase, but for the parts in which names are the user's."""
    if isinstance(value, list):
        return [_camel(each) for each in value]
    if not isinstance(value, dict):
        return value
    renamed = {
        re.sub(r"(?<=[a-z])_([a-z])", lambda at: at[1].upper(), name): each for name, each in value.items()
    }
    return {name: each if name in FREE else _camel(each) for name, each in renamed.items()}


# ── rules across fields ─────────────────────────────────────────────────────────────────────────


def _of_kind(content: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [part[kind] for part in content["parts"] if kind in part]


def _check_turns(contents: list[dict[str, Any]]) -> None:
    waiting: list[dict[str, Any]] = []
    for at, content in enumerate(contents):
        path: Path = ("contents", at)
        calls, results = _of_kind(content, "functionCall"), _of_kind(content, "functionResponse")
        require(not calls or content["role"] == "model", path, "function calls belong to the model's turns")
        require(
            not results or content["role"] == "user", path, "function responses belong to the user's turns"
        )
        as_many = (
            "Please ensure that the number of function response parts is equal to the number of "
            "function call parts of the function call turn."
        )
        require(len(results) == len(waiting), path, as_many)
        same = sorted(each["name"] for each in results) == sorted(each["name"] for each in waiting)
        require(same, path, "function responses name other functions than the calls")
        ids = {each.get("id") for each in waiting}
        require(
            all(each.get("id") in ids for each in results), path, "a function response's id is of no call"
        )
        before = contents[at - 1]["role"] if at else None
        in_place = (
            "Please ensure that function call turn comes immediately after a user turn or after a "
            "function response turn."
        )
        require(not calls or before == "user", path, in_place)
        waiting = calls


def _check_generation(config: dict[str, Any]) -> None:
    path: Path = ("generationConfig",)
    both = "responseSchema" in config and "responseJsonSchema" in config
    require(not both, path, "response_schema and response_json_schema are mutually exclusive")
    schema = "responseSchema" in config or "responseJsonSchema" in config
    as_json = config.get("responseMimeType") in ("application/json", "text/x.enum")
    require(not schema or as_json, path, "response_schema requires response_mime_type application/json")
    counted = "logprobs" not in config or config.get("responseLogprobs")
    require(counted, path, "logprobs requires response_logprobs")
    thinking = config.get("thinkingConfig", {})
    twice = "thinkingBudget" in thinking and "thinkingLevel" in thinking
    require(not twice, path, "You can only set only one of thinking budget and thinking level.")


def _declared(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for tool in body.get("tools", []) for each in tool.get("functionDeclarations", [])]


def _check_tools(body: dict[str, Any]) -> None:
    declared = _declared(body)
    names = [each["name"] for each in declared]
    require(len(set(names)) == len(names), ("tools",), "Duplicate function declaration found")
    for at, each in enumerate(declared):
        both = "parameters" in each and "parametersJsonSchema" in each
        require(not both, ("tools", 0, "functionDeclarations", at), "parameters are declared twice")
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    allowed = calling.get("allowedFunctionNames", [])
    path: Path = ("toolConfig", "functionCallingConfig")
    known = set(allowed) <= set(names)
    require(known, path, "allowed_function_names should be a subset of the declared functions")
    any_mode = not allowed or calling.get("mode") in ("ANY", "VALIDATED")
    require(any_mode, path, "allowed_function_names should be set only when the mode is ANY")
    require(
        calling.get("mode") != "ANY" or names,
        path,
        "Function calling config is set without function_declarations.",
    )


def _check(call: Call) -> None:
    found = PATH.fullmatch(call.path)
    if found is None:
        raise HttpError(404, f"Not found: {call.path}")
    key = call.request.header("x-goog-api-key") or call.query.get("key")
    if key != vendor.CREDENTIAL:
        raise HttpError(400 if key else 403, "API key not valid. Please pass a valid API key.")
    if found[2] == "streamGenerateContent" and call.query.get("alt") != "sse":
        raise HttpError(400, "this upstream streams with alt=sse only")
    body = _camel(call.body)
    if found[2] == "countTokens":
        COUNT_REQUEST(body, ())
        return
    REQUEST(body, ())
    _check_turns(body["contents"])
    _check_generation(body.get("generationConfig", {}))
    _check_tools(body)


# ── answers ─────────────────────────────────────────────────────────────────────────────────────


def _gist(call: Call) -> Gist:
    body = _camel(call.body)
    config = body.get("generationConfig", {})
    parts = [part for each in body["contents"] if each["role"] == "user" for part in each["parts"]]
    texts = [part["text"] for part in parts if "text" in part]
    kinds = [part.get("inlineData", part.get("fileData", {})).get("mimeType", "") for part in parts]
    thinking = config.get("thinkingConfig", {})
    calling = body.get("toolConfig", {}).get("functionCallingConfig", {})
    declared = [each["name"] for each in _declared(body)]
    allowed = calling.get("allowedFunctionNames", declared if calling.get("mode") == "ANY" else [])
    present = {
        "image": any(each.startswith("image/") for each in kinds),
        "schema": "responseSchema" in config or "responseJsonSchema" in config,
        "thinking": thinking.get("includeThoughts") and thinking.get("thinkingBudget") != 0,
        "tools": body.get("tools"),
        "stop": config.get("stopSequences"),
        "logprobs": config.get("responseLogprobs"),
        "choices": config.get("candidateCount", 1) > 1,
    }
    return Gist(
        stream=call.path.endswith(":streamGenerateContent"),
        last_text=texts[-1] if texts else "",
        after_tools=bool(_of_kind(body["contents"][-1], "functionResponse")),
        forced_tool=allowed[0] if len(allowed) == 1 else None,
        has=frozenset(name for name, there in present.items() if there),
    )


def _count(call: Call) -> Answer | None:
    counting = call.path.endswith(":countTokens")
    return vendor.json_answer(200, {"totalTokens": 17}) if counting else None


def _refuse(status: int, why: Refused | HttpError) -> Answer:
    if isinstance(why, Refused):
        unknown = f'Invalid JSON payload received. Unknown name "{dotted(why.path)}": Cannot find field.'
        text = unknown if why.kind == "unknown" else f"{dotted(why.path)}: {why.message}"
    else:
        text = why.text
    error = {"code": status, "message": text, "status": STATUSES.get(status, "INVALID_ARGUMENT")}
    return vendor.json_answer(status, {"error": error})


VENDOR = Vendor("gemini_generate", _check, _gist, _refuse, special=_count)
