"""Writes docs/configuration.md from the docstrings of the settings schema; `--check` only compares."""

import ast
import inspect
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from llmgw.settings import identity, limits, models, schema, store
from llmgw.settings.litellm import NOT_ACTED_ON
from llmgw.settings.secrets import SecretReference

TARGET = Path(__file__).parent.parent / "docs" / "configuration.md"

SECTIONS: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("The file", schema.Settings),
    ("`model_list[]`", models.ModelEntry),
    ("`model_list[].litellm_params`", models.Params),
    ("`model_list[].model_info`", models.ModelInfo),
    ("`router_settings`", schema.RouterSettings),
    ("`router_settings.retry_policy`", schema.RetryCounts),
    ("`router_settings.model_group_alias`, long form", schema.AliasTarget),
    ("`litellm_settings`", schema.LitellmSettings),
    ("`litellm_settings.cache_params`", schema.CacheParams),
    ("`general_settings`", schema.GeneralSettings),
    ("`keys[]`", schema.KeyEntry),
    ("`keys[].limits[]`", limits.LimitEntry),
    ("`keys[].budgets[]`", limits.BudgetEntry),
    ("`keys[].budgets[].window`, rolling", limits.RollingWindow),
    ("`limits[]`", limits.SharedLimitEntry),
    ("`jwt[]`", identity.JwtEntry),
    ("`jwt[].claims`", identity.JwtClaims),
    ("`jwt[].defaults`", identity.JwtDefaults),
    ("`jwt[].roles[]`, `oidc.roles[]`", identity.RoleRule),
    ("`oidc`", identity.OidcSettings),
    ("`oidc.claims`", identity.OidcClaims),
    ("`scim`", identity.ScimSettings),
    ("`cache`", schema.CacheSettings),
    ("`model_catalogue`", schema.CatalogueSettings),
    ("`pricing`", schema.PricingSettings),
    ("`pricing.ceiling`", schema.CeilingPrices),
    ("`pii`", schema.PiiSettings),
    ("`responses`", schema.ResponsesSettings),
    ("`pass_through.NAME`", schema.PassThroughEntry),
    ("`files`", schema.FilesSettings),
    ("`ledger`", schema.LedgerSettings),
    ("`egress`", schema.EgressSettings),
    ("`egress.fetch_media`", schema.FetchMediaSettings),
    ("`store`", store.StoreSettings),
    ("`server`", schema.ServerSettings),
    ("`server.realtime`", schema.RealtimeSettings),
    ("`server.tls`", schema.TlsSettings),
    ("`server.admin`", schema.AdminSettings),
)

INTRODUCTION = """\
# Configuration

One file, in YAML (or TOML or JSON, by its extension). A LiteLLM `config.yaml` is accepted as it is.
`llmgw check --config FILE` tells every problem with its line; a name that is not listed here is an error.

```yaml
model_list:
  - model_name: gpt-4o
    litellm_params:
      model: openai/gpt-4o
      api_key: os.environ/OPENAI_API_KEY
  - model_name: local
    litellm_params: {model: ollama/llama3.2}
router_settings:
  fallbacks: [{gpt-4o: [local]}]
keys:
  - {alias: team-a, key: env:TEAM_A_KEY, models: [gpt-4o], rpm_limit: 600}
cache: {ttl: 300}
```

A secret is written as a reference: `os.environ/NAME`, `env:NAME`, `env.NAME`, `${NAME}` or `file:/path`. The
same references work in every other field.

Of the command line, the environment and the file, the first that says something counts. The process looks at
`LLMGW_CONFIG`, `LLMGW_HOST`, `LLMGW_PORT` (`PORT`), `LLMGW_WORKERS` (`NUM_WORKERS`), `LLMGW_MASTER_KEY`
(`LITELLM_MASTER_KEY`) and `LLMGW_HOME`, the state folder (`~/.llmgw`).

*This page is written by `scripts/configuration_doc.py` from `python/llmgw/settings/schema.py`.*
"""

IGNORED = """\
## Known from LiteLLM, not acted on yet

These load with a warning.
"""


def main() -> int:
    """Write the page, or with `--check` tell whether it is up to date."""
    page = render()
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text(encoding="utf-8") == page else 1
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(page, encoding="utf-8")
    return 0


def render() -> str:
    """The page."""
    documented = _field_docs()
    parts = [INTRODUCTION]
    parts += [_section(title, kind, _with_inherited(kind, documented)) for title, kind in SECTIONS]
    parts.append(IGNORED)
    names = {kind: title for title, kind in SECTIONS}
    parts += [f"**{names[kind]}**: {_words(keys)}.\n" for kind, keys in NOT_ACTED_ON.items()]
    return "\n".join(parts)


def _with_inherited(kind: type[msgspec.Struct], documented: dict[str, dict[str, str]]) -> dict[str, str]:
    """The documentation of a class's own fields and of those that it takes over."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        found |= documented.get(base.__name__, {})
    return found


def _words(keys: frozenset[str]) -> str:
    return ", ".join(f"`{key}`" for key in sorted(keys))


def _section(title: str, kind: type[msgspec.Struct], documented: dict[str, str]) -> str:
    hints = get_type_hints(kind, include_extras=True)
    lines = [f"## {title}", "", inspect.cleandoc(kind.__doc__ or ""), ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    for field in msgspec.structs.fields(kind):
        cells = (f"`{field.encode_name}`", _kind(hints[field.name]), _default(field), documented[field.name])
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _kind(hint: Any) -> str:  # noqa: PLR0911 - one line per kind
    """A type as people say it."""
    if get_origin(hint) is Annotated:
        return _kind(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_kind(part) for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(hint))
    if get_origin(hint) is tuple:
        return f"list of {_kind(get_args(hint)[0])}"
    if get_origin(hint) is dict:
        return f"mapping to {_kind(get_args(hint)[1])}"
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return "mapping"
    plain = {str: "text", int: "number", float: "number", bool: "true or false", SecretReference: "secret"}
    return plain[hint]


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory
    if value is None or value in ((), dict) or isinstance(value, msgspec.Struct):
        return ""
    return f"`{msgspec.json.encode(value).decode()}`"


def _field_docs() -> dict[str, dict[str, str]]:
    """By class and field, the string that stands below the field."""
    modules = (identity, limits, models, schema, store)
    trees = (ast.parse(inspect.getsource(module)) for module in modules)
    classes = (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))
    return {node.name: dict(_documented(node)) for node in classes}


def _documented(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in zip(node.body, node.body[1:], strict=False):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            yield field.target.id, " ".join(str(below.value.value).split())


if __name__ == "__main__":
    sys.exit(main())
