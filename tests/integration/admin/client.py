"""A client of the admin API, and a small world of tenants to ask it about."""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.gateway_process import MASTER_KEY

JSON = dict[str, Any]
_numbers = count()


def unique(name: str) -> str:
    """A name that nobody has."""
    return f"{name}-{next(_numbers)}"


class Admin:
    """Asks `/api/v1` with one key."""

    def __init__(self, url: str, key: str | None = MASTER_KEY, client: httpx.Client | None = None) -> None:
        self._url = f"{url}/api/v1"
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._client = client or httpx.Client(timeout=30)
        self.root = url

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Send a request; underscores of header names are hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.request(method, self._url + path, json=body, headers=self._headers | named)

    def get(self, path: str, status: int = 200) -> JSON:
        """GET what has to be there."""
        return answered(self.ask("GET", path), status)

    def make(self, path: str, status: int = 201, /, **body: Any) -> JSON:
        """POST what has to succeed."""
        return answered(self.ask("POST", path, body), status)

    def change(self, path: str, status: int = 200, /, **body: Any) -> JSON:
        """PATCH, whatever the version."""
        return answered(self.ask("PATCH", path, body, if_match="*"), status)

    def delete(self, path: str, status: int = 204) -> None:
        """DELETE, whatever the version."""
        response = self.ask("DELETE", path, if_match="*")
        assert response.status_code == status, response.text

    def as_key(self, key: str | None) -> "Admin":
        """The same, with another key."""
        return Admin(self.root, key, self._client)

    def close(self) -> None:
        """Give the connections up."""
        self._client.close()


def answered(response: httpx.Response, status: int) -> JSON:
    """The body of a reply that has this status."""
    assert response.status_code == status, f"{response.request.method} {response.url}: {response.text}"
    body: JSON = response.json()
    return body


@dataclass
class Tenant:
    """An organisation with one of everything."""

    organisation: JSON
    team: JSON
    project: JSON
    user: JSON
    service_account: JSON
    key: JSON
    membership: JSON
    credential: JSON
    model: JSON
    callers: dict[tuple[str, str], Admin] = field(default_factory=dict)
    """By role and scope."""

    def objects(self) -> list[tuple[str, str]]:
        """Paths and ids of all that it has."""
        return [
            ("organisations", self.organisation["id"]),
            ("teams", self.team["id"]),
            ("projects", self.project["id"]),
            ("users", self.user["id"]),
            ("service-accounts", self.service_account["id"]),
            ("keys", self.key["id"]),
            ("memberships", self.membership["id"]),
            ("credentials", self.credential["id"]),
            ("models", self.model["id"]),
        ]


ENTRY = {"params": {"model": "openai/gpt-4o"}}
ROLES = ("owner", "admin", "operator", "auditor", "developer", "viewer")
SCOPES = ("organisation", "team", "project")


def make_tenant(admin: Admin, roles: tuple[str, ...] = ROLES, scopes: tuple[str, ...] = SCOPES) -> Tenant:
    """A tenant, and a caller for each of its roles in each of its scopes."""
    organisation = admin.make("/organisations", name=unique("org"))
    belongs = {"organisation_id": organisation["id"]}
    team = admin.make("/teams", name=unique("team"), **belongs)
    project = admin.make("/projects", name=unique("project"), team_id=team["id"])
    user = admin.make("/users", email=f"{unique('user')}@example.com", **belongs)
    address = "https://api.openai.com"
    tenant = Tenant(
        organisation=organisation,
        team=team,
        project=project,
        user=user,
        service_account=admin.make("/service-accounts", name=unique("sa"), project_id=project["id"]),
        key=admin.make("/keys", alias=unique("key"), project_id=project["id"]),
        membership=admin.make(
            "/memberships", user_id=user["id"], role="viewer", scope_kind="team", scope_id=team["id"]
        ),
        credential=admin.make(
            "/credentials", name=unique("cred"), provider="openai", origin=address, secret="sk-1", **belongs
        ),
        model=admin.make(
            "/models", name=unique("m"), entry={"params": {"model": "openai/gpt-4o"}}, **belongs
        ),
    )
    owners = {"organisation": organisation, "team": team, "project": project}
    for scope in scopes:
        for role in roles:
            place = {f"{scope}_id": owners[scope]["id"]}
            key = admin.make("/keys", alias=unique(f"{role}-{scope}"), admin_role=role, **place)
            tenant.callers[role, scope] = admin.as_key(key["key"])
    return tenant
