"""SCIM 2.0 (RFC 7643, RFC 7644), `/scim/v2`: identity providers keep an organisation's users and groups.

The bearer is a key whose role has the permission `scim.write` in one organisation: what it makes, sees and
changes is that organisation's. On the platform it sees all, and makes what belongs to no organisation.
"""

from llmgw.endpoints.base import Endpoint
from llmgw.endpoints.scim.collections import collection_endpoints
from llmgw.endpoints.scim.descriptions import description_endpoints
from llmgw.endpoints.scim.groups import Groups
from llmgw.endpoints.scim.users import Users
from llmgw.settings.identity import RoleRule
from llmgw.store.database import Store


def scim_endpoints(store: Store, roles: tuple[RoleRule, ...]) -> list[Endpoint]:
    """The rows of this family; `roles` are what groups give their members, by name."""
    return [
        *description_endpoints(),
        *collection_endpoints(store, Users()),
        *collection_endpoints(store, Groups(roles)),
    ]
