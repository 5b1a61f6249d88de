"""The spellings of a model's name: with a prefix, a region, a version, a date."""

import re
from collections.abc import Iterator

_REGION = re.compile(r"^(?:us|us-gov|eu|apac|au|ca|jp|global)\.(?=[a-z0-9-]+\.)")
"""A cross-region profile of Bedrock's: `us.anthropic.claude-…`."""
_ARN = re.compile(r"^arn:[^/]*/(?:[^/]*/)*")
"""Bedrock's long form: `arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-…`."""
_VERSION = re.compile(r"(?:-v\d+)?:\d+$|-v\d+$")
"""Bedrock's: `-v1:0`."""
_DATE = re.compile(r"-\d{4}-?\d{2}-?\d{2}$|-latest$|@\w+$")
"""`-2024-11-20`, `-20241022`, `-latest`; Vertex AI's `@20241022`."""


def geography(model: str) -> str | None:
    """Where a cross-region profile of Bedrock's is served: `eu` of `eu.anthropic.claude-…`."""
    found = _REGION.match(_ARN.sub("", model))
    return found and found.group().rstrip(".")


def spellings(model: str, prefixes: tuple[str, ...]) -> Iterator[str]:
    """The name as it is, then what is left of it as one part after the other is taken off.

    `prefixes` are the names of its provider, which may stand before the model's: `groq/…`.
    """
    seen = {model}
    yield model
    for name in _shortened(model, prefixes):
        if name and name not in seen:
            seen.add(name)
            yield name


def _shortened(model: str, prefixes: tuple[str, ...]) -> Iterator[str]:
    model = _ARN.sub("", model)
    yield model
    prefix, slash, rest = model.partition("/")
    if slash and prefix in prefixes:
        model = rest
        yield model
    for start in (model, _REGION.sub("", model)):
        yield start
        unversioned = _VERSION.sub("", start)
        yield unversioned
        yield _DATE.sub("", unversioned)
