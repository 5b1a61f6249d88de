"""What SCIM's clients ask about the server itself (RFC 7643 §5 to §7)."""

from typing import Any

import msgspec

from llmgw.access.rbac import Permission
from llmgw.endpoints.base import Endpoint, Handler, Plane, Reply, Request
from llmgw.endpoints.scim.collections import MOST, in_dialect
from llmgw.endpoints.scim.errors import MEDIA_TYPE, ScimError
from llmgw.endpoints.scim.groups import SCHEMA as GROUP
from llmgw.endpoints.scim.resource import BASE, META
from llmgw.endpoints.scim.users import ENTERPRISE
from llmgw.endpoints.scim.users import SCHEMA as USER

_OF_SERVER = "urn:ietf:params:scim:schemas:core:2.0:"
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def description_endpoints() -> list[Endpoint]:
    """The rows of this family."""

    async def configuration(_: Request) -> Reply:
        return _reply(_CONFIGURATION)

    return [
        _row("/ServiceProviderConfig", "What this SCIM server can do.", configuration),
        *_listed("/ResourceTypes", "The kinds of resources.", _TYPES),
        *_listed("/Schemas", "The schemas of resources.", _SCHEMAS),
    ]


def _listed(path: str, summary: str, all_of_them: list[dict[str, Any]]) -> list[Endpoint]:
    async def every(_: Request) -> Reply:
        listed = {
            "schemas": [_LIST],
            "totalResults": len(all_of_them),
            "startIndex": 1,
            "itemsPerPage": len(all_of_them),
            "Resources": all_of_them,
        }
        return _reply(listed)

    async def one(request: Request) -> Reply:
        for each in all_of_them:
            if each["id"] == request.parameters["id"]:
                return _reply(each)
        raise ScimError(404, "There is none of that name.")

    return [_row(path, summary, every), _row(path + "/{id}", f"{summary[:-1]}, one of them.", one)]


def _row(path: str, summary: str, handler: Handler) -> Endpoint:
    return Endpoint(
        method="GET",
        path=BASE + path,
        permission=Permission.SCIM,
        summary=summary,
        handler=in_dialect(handler),
        plane=Plane.ADMIN,
    )


def _reply(body: dict[str, Any]) -> Reply:
    return Reply(headers=(MEDIA_TYPE,), body=msgspec.json.encode(body))


def _type(name: str, endpoint: str, schema: str, extensions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schemas": [_OF_SERVER + "ResourceType"],
        "id": name,
        "name": name,
        "endpoint": f"/{endpoint}",
        "schema": schema,
        "schemaExtensions": extensions,
        META: {"resourceType": "ResourceType", "location": f"{BASE}/ResourceTypes/{name}"},
    }


def _schema(id: str, name: str, attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schemas": [_OF_SERVER + "Schema"],
        "id": id,
        "name": name,
        "description": name,
        "attributes": attributes,
        META: {"resourceType": "Schema", "location": f"{BASE}/Schemas/{id}"},
    }


def _attribute(name: str, kind: str = "string", **more: Any) -> dict[str, Any]:
    usual = {
        "multiValued": False,
        "required": False,
        "mutability": "readWrite",
        "returned": "default",
        "description": name,
    }
    texts = {"caseExact": False, "uniqueness": "none"} if kind == "string" else {}
    return {"name": name, "type": kind, **usual, **texts, **more}


def _several(name: str) -> dict[str, Any]:
    parts = [_attribute("value"), _attribute("type"), _attribute("display"), _attribute("primary", "boolean")]
    return _attribute(name, "complex", multiValued=True, subAttributes=parts)


_OF_A_NAME = ("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")

_SCHEMAS = [
    _schema(
        USER,
        "User",
        [
            _attribute("userName", required=True, uniqueness="server"),
            _attribute("externalId", caseExact=True),
            _attribute("name", "complex", subAttributes=[_attribute(part) for part in _OF_A_NAME]),
            *(_attribute(name) for name in ("displayName", "nickName", "title", "userType", "locale")),
            _attribute("active", "boolean"),
            *(_several(name) for name in ("emails", "phoneNumbers", "entitlements", "roles")),
            _attribute(
                "groups",
                "complex",
                multiValued=True,
                mutability="readOnly",
                subAttributes=[_attribute("value"), _attribute("display")],
            ),
        ],
    ),
    _schema(
        GROUP,
        "Group",
        [
            _attribute("displayName", required=True, uniqueness="server"),
            _attribute("externalId", caseExact=True),
            _attribute("members", "complex", multiValued=True, subAttributes=[_attribute("value")]),
        ],
    ),
    _schema(
        ENTERPRISE,
        "EnterpriseUser",
        [
            _attribute(name)
            for name in ("employeeNumber", "costCenter", "organization", "division", "department")
        ],
    ),
]

_TYPES = [
    _type("User", "Users", USER, [{"schema": ENTERPRISE, "required": False}]),
    _type("Group", "Groups", GROUP, []),
]

_CONFIGURATION = {
    "schemas": [_OF_SERVER + "ServiceProviderConfig"],
    "patch": {"supported": True},
    "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
    "filter": {"supported": True, "maxResults": MOST},
    "changePassword": {"supported": False},
    "sort": {"supported": False},
    "etag": {"supported": True},
    "authenticationSchemes": [
        {
            "type": "oauthbearertoken",
            "name": "Key",
            "description": "A virtual key whose role has the permission scim.write in one organisation.",
            "primary": True,
        }
    ],
    META: {"resourceType": "ServiceProviderConfig", "location": f"{BASE}/ServiceProviderConfig"},
}
