"""Runs in the peer's environment: its own client administers a gateway, and tells what it was answered."""

import json
import sys
from typing import Any

from litellm.proxy.client.client import Client  # type: ignore[import-not-found]
from litellm.proxy.client.users import UsersManagementClient  # type: ignore[import-not-found]


def main(url: str, key: str) -> None:
    """One life of a key and a person; prints the answers as JSON."""
    client, users = Client(base_url=url, api_key=key), UsersManagementClient(base_url=url, api_key=key)
    told: dict[str, Any] = {}
    told["made"] = made = client.keys.generate(
        models=["m"], aliases={"x": "m"}, duration="30d", key_alias="k"
    )
    told["changed"] = client.keys.update(key=made["key"], models=[], key_alias="k2")
    told["info"] = client.keys.info(made["token"])
    told["listed"] = client.keys.list(page=1, size=10, return_full_object=True, include_team_keys=True)
    told["teams"] = client.teams.list()
    told["models"] = client.models.info()
    told["user"] = user = users.create_user({"user_email": "a@example.com", "user_role": "internal_user"})
    told["read"] = users.get_user(user["user_id"])
    told["people"] = users.list_users()
    told["deleted"] = client.keys.delete(keys=[made["key"]], key_aliases=[user["key_alias"]])
    told["gone"] = users.delete_user([user["user_id"]])
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
