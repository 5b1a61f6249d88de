"""What is changed here holds in the data plane, on every worker, within a second."""

import time

from tests.gateway_process import GatewayProcess, wait_until
from tests.integration.admin.client import Admin, unique

PROBES = 12
"""Connections, so that every worker is asked."""


def test_a_key_is_good_within_a_second_and_blocked_within_a_second(
    gateway: GatewayProcess, admin: Admin
) -> None:
    key = admin.make("/keys", alias=unique("k"))
    wait_for(gateway, key["key"], 200)
    admin.make(f"/keys/{key['id']}/block", 200)
    assert wait_for(gateway, key["key"], 401) <= 1.0
    admin.make(f"/keys/{key['id']}/unblock", 200)
    assert wait_for(gateway, key["key"], 200) <= 1.0
    admin.delete(f"/keys/{key['id']}")
    assert wait_for(gateway, key["key"], 401) <= 1.0


def test_a_blocked_team_stops_its_keys_within_a_second(gateway: GatewayProcess, admin: Admin) -> None:
    team = admin.make("/teams", name=unique("t"))
    key = admin.make("/keys", alias=unique("k"), team_id=team["id"])["key"]
    wait_for(gateway, key, 200)
    admin.change(f"/teams/{team['id']}", blocked=True)
    wait_until(lambda: statuses(gateway, key) <= {401, 403}, "the team's key is refused", 1.0)


def test_a_rotated_key_is_good_in_both_its_values_while_the_grace_lasts(
    gateway: GatewayProcess, admin: Admin
) -> None:
    key = admin.make("/keys", alias=unique("k"))
    rotated = admin.make(f"/keys/{key['id']}/rotate", 200, grace_seconds=3)
    wait_for(gateway, rotated["key"], 200)
    assert statuses(gateway, key["key"]) == {200}
    wait_for(gateway, key["key"], 401)
    assert statuses(gateway, rotated["key"]) == {200}


def test_what_was_used_is_told(gateway: GatewayProcess, admin: Admin) -> None:
    team = admin.make("/teams", name=unique("t"))
    key = admin.make("/keys", alias=unique("k"), team_id=team["id"])
    wait_for(gateway, key["key"], 200)
    asked = gateway.chat("m", key["key"])
    path = f"/ledger?request_id={asked.header('x-request-id')}"
    wait_until(lambda: len(admin.get(path)["items"]) == 1, "the request is booked", 10.0)
    assert admin.get(path)["items"][0]["team_id"] == team["id"]
    line = admin.get(f"/usage?team_id={team['id']}&by=key_id")["items"][0]
    assert line["by"] == {"key_id": key["id"]}
    assert line["attempts"] > 0


def wait_for(gateway: GatewayProcess, key: str, status: int) -> float:
    """Until every worker answers a key with this status; how many seconds that took."""
    began = time.monotonic()
    wait_until(lambda: statuses(gateway, key) == {status}, f"every worker answers {status}", 10.0)
    return time.monotonic() - began


def statuses(gateway: GatewayProcess, key: str) -> set[int]:
    """How a key is answered over several connections."""
    return {gateway.chat("m", key).status for _ in range(PROBES)}
