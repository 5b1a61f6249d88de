"""Which role may call which endpoint: made from the table of endpoints, and compared with a golden file."""

import json
import runpy
from pathlib import Path

from llmgw.access.rbac import Grant, Permission, Role, ScopeKind, grants_with
from llmgw.endpoints.base import Access, Endpoint, Plane

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("role_matrix.json")
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "openapi_doc.py"))
ROWS: list[Endpoint] = SCRIPT["endpoints"]()


def callers(endpoint: Endpoint) -> list[str]:
    """Who may call it: roles on the platform by their names, within a tenant with a star."""
    permission = endpoint.permission
    if isinstance(permission, Access):
        return [permission.value]
    found = []
    for role in Role:
        everywhere = Grant(role=role, scope=ScopeKind.PLATFORM)
        within = Grant(role=role, scope=ScopeKind.TEAM, scope_id="team_1")
        if grants_with([within], permission):
            found.append(f"{role}*")
        elif grants_with([everywhere], permission):
            found.append(role.value)
    return found


def test_the_matrix_is_the_golden_one() -> None:
    matrix = {f"{row.method} {row.path}": callers(row) for row in ROWS if row.plane is not Plane.DATA}
    assert matrix == json.loads(GOLDEN.read_text())


def test_the_data_plane_asks_for_a_key_and_no_role() -> None:
    assert {row.permission for row in ROWS if row.plane is Plane.DATA} == {Access.KEY}


def test_every_row_says_what_it_asks_for() -> None:
    for row in ROWS:
        assert isinstance(row.permission, Access | Permission), row.path


def test_what_changes_something_asks_for_more_than_to_read() -> None:
    changing = [row for row in ROWS if row.plane is Plane.ADMIN and row.method != "GET"]
    assert changing
    for row in changing:
        assert isinstance(row.permission, Permission)
        assert not row.permission.endswith(".read"), row.path


def test_no_row_of_the_admin_api_is_public_or_without_a_contract() -> None:
    for row in ROWS:
        if row.path.startswith("/api/"):
            assert row.plane is Plane.ADMIN
            assert row.permission is not Access.PUBLIC
            assert row.contract is not None, row.path


def test_every_permission_is_asked_for_or_guards_a_field() -> None:
    asked = {row.permission for row in ROWS}
    of_fields = {Permission.BUDGETS_WRITE, Permission.OWNERS_WRITE, Permission.CONFIG_WRITE}
    of_others = {Permission.SCIM}
    assert set(Permission) - asked <= of_fields | of_others
