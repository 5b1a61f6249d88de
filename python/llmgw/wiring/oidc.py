"""How people log in: the section `oidc`, its secret fetched."""

from llmgw.access.terms import OidcOptions
from llmgw.settings.environment import Environment
from llmgw.settings.problems import Report
from llmgw.settings.schema import Settings
from llmgw.settings.secrets import UnresolvedReferenceError


def compile_oidc(settings: Settings, environment: Environment, report: Report) -> OidcOptions | None:
    """The terms of logins, if there are any; a secret that cannot be had is reported."""
    own = settings.oidc
    if own is None:
        return None
    secret = None
    try:
        if own.client_secret is not None:
            secret = own.client_secret.resolve(environment)
    except UnresolvedReferenceError as error:
        report.error(("oidc", "client_secret"), str(error))
    for index, rule in enumerate(own.roles):
        if rule.value.count("*") > 1:
            report.error(("oidc", "roles", index, "value"), "only one '*' is allowed")
    return OidcOptions(
        issuer=own.issuer,
        client_id=own.client_id,
        client_secret=secret,
        public_url=own.public_url.rstrip("/"),
        scopes=own.scopes,
        algorithms=own.algorithms,
        email_claim=own.claims.email,
        name_claim=own.claims.name,
        groups_claim=own.claims.groups,
        allowed_domains=own.allowed_domains,
        create_users=own.create_users,
        organisation=own.organisation,
        roles=own.roles,
        session_idle=own.session_idle,
        session_lifetime=own.session_lifetime,
        ca_file=settings.egress.ca_file,
    )
