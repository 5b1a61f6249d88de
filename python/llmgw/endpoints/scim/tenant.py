"""Whose users and groups a caller keeps: those of one organisation, or of none."""

import msgspec

from llmgw.access.principal import Principal
from llmgw.access.rbac import Permission, grants_with
from llmgw.endpoints.scim.errors import ScimError
from llmgw.store.scope import Scope
from llmgw.store.users import User


class Tenant(msgspec.Struct, frozen=True):
    """Whose they are."""

    scope: Scope
    organisation: str | None
    """`None`: the platform's, which sees all and makes what belongs to no organisation."""
    principal: Principal
    """Who provisions."""

    def owns(self, user: User) -> bool:
        """Whether a person is the tenant's: a guest from elsewhere is seen by it, and is not."""
        return self.organisation is None or user.organisation_id == self.organisation


def tenant_of(principal: Principal | None) -> Tenant:
    """The tenant of a caller.

    Raises:
        ScimError: they provision several, so that it would be a guess, or none.
    """
    grants = grants_with(principal.grants, Permission.SCIM) if principal is not None else ()
    if principal is not None and any(grant.scope_id is None for grant in grants):
        return Tenant(Scope.all(), None, principal)
    organisations = {grant.scope_id for grant in grants if grant.scope.value == "organisation"}
    if principal is None or len(organisations) != 1:
        raise ScimError(403, "Provisioning takes a key whose role holds in exactly one organisation.")
    organisation = organisations.pop()
    return Tenant(Scope(organisations=frozenset({organisation or ""})), organisation, principal)
