"""Every row of the table of endpoints, put together."""

from pathlib import Path

import msgspec

from llmgw._native import Gateway
from llmgw.access.sessions import Sessions
from llmgw.access.terms import OidcOptions
from llmgw.endpoints.api import admin_endpoints
from llmgw.endpoints.api.desk import Desk
from llmgw.endpoints.base import Endpoint
from llmgw.endpoints.files import file_endpoints
from llmgw.endpoints.gemini import gemini_endpoints
from llmgw.endpoints.litellm import litellm_endpoints
from llmgw.endpoints.login import login_endpoints
from llmgw.endpoints.media import media_endpoints
from llmgw.endpoints.models import model_endpoints
from llmgw.endpoints.openai import openai_endpoints
from llmgw.endpoints.ops import openapi_endpoint, ops_endpoints
from llmgw.endpoints.scim import scim_endpoints
from llmgw.settings.identity import RoleRule


class Doors(msgspec.Struct, frozen=True, kw_only=True):
    """How people and identity providers come in."""

    oidc: OidcOptions | None = None
    """`None`: nobody logs in."""
    sessions: Sessions | None = None
    scim_roles: tuple[RoleRule, ...] = ()
    """Roles that groups of SCIM give their members."""


def all_endpoints(
    gateway: Gateway,
    desk: Desk,
    doors: Doors | None = None,
    *,
    started: int,
    metrics_auth: str,
    run_folder: Path,
) -> list[Endpoint]:
    """The table. `started`: Unix seconds; `metrics_auth`: `key` or `none`."""
    doors = doors or Doors()
    rows = [
        *openai_endpoints(),
        *gemini_endpoints(),
        *media_endpoints(),
        *file_endpoints(),
        *model_endpoints(gateway, started),
        *ops_endpoints(gateway, metrics_auth, run_folder),
        *admin_endpoints(desk, lambda: gateway.version),
        *litellm_endpoints(desk, gateway),
        *scim_endpoints(desk.store, doors.scim_roles),
        *login_endpoints(doors.oidc, doors.sessions, desk.pepper),
    ]
    return [*rows, openapi_endpoint(rows)]
