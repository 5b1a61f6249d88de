"""Logging in and out, and who one is: for people, whose browsers keep a session's cookie."""

from urllib.parse import parse_qsl

import msgspec

from llmgw.access.cookies import PENDING, SESSION
from llmgw.access.fetch import Fetcher, ProviderError
from llmgw.access.oidc import PENDING_SECONDS, Oidc
from llmgw.access.principal import Principal
from llmgw.access.sessions import Sessions
from llmgw.access.terms import OidcOptions
from llmgw.endpoints.base import JSON, Access, Endpoint, Handler, Plane, Reply, Request
from llmgw.errors import InternalError, Unauthenticated
from llmgw.settings.secrets import Secret

_NO_STORE = ("cache-control", "no-store")


def login_endpoints(options: OidcOptions | None, sessions: Sessions | None, pepper: Secret) -> list[Endpoint]:
    """The rows of this family: without a provider nobody logs in, but everybody may ask who they are."""
    mine = _row("GET", "/me", Access.KEY, "Who is calling, and what roles they have.", _me)
    if options is None or sessions is None:
        return [mine]
    return [*_session_endpoints(Oidc(options, pepper, Fetcher(options.ca_file)), sessions), mine]


def _session_endpoints(oidc: Oidc, sessions: Sessions) -> list[Endpoint]:
    cookies = sessions.cookies

    async def begin(request: Request) -> Reply:
        query = dict(parse_qsl(request.query))
        try:
            page, pending = await oidc.begin(query.get("next"))
        except ProviderError as error:
            raise InternalError(f"The identity provider cannot be asked: {error}.") from error
        return _redirect(page, cookies.set(PENDING, pending, PENDING_SECONDS))

    async def finish(request: Request) -> Reply:
        pairs = parse_qsl(request.query)
        query = dict(pairs)
        if len(query) != len(pairs):
            raise Unauthenticated("The identity provider said something twice.")
        try:
            person, next = await oidc.finish(query, cookies.read(request.headers.get("cookie", ""), PENDING))
        except ProviderError as error:
            raise Unauthenticated(f"The identity provider cannot be asked: {error}.") from error
        before = cookies.read(request.headers.get("cookie", ""), SESSION)
        begun = await sessions.begin(person, request.client or None, before)
        return _redirect(
            next,
            cookies.set(SESSION, begun.value, oidc.options.session_lifetime),
            cookies.drop(PENDING),
        )

    async def logout(request: Request) -> Reply:
        value = cookies.read(request.headers.get("cookie", ""), SESSION)
        if value is not None:
            await sessions.end(value)
        return Reply(status=204, headers=(_NO_STORE, cookies.drop(SESSION)))

    return [
        _row("GET", "/login", Access.PUBLIC, "Sends a browser to the identity provider.", begin),
        _row(
            "GET", "/login/callback", Access.PUBLIC, "Where the identity provider sends it back to.", finish
        ),
        _row("POST", "/logout", Access.KEY, "Ends the session, everywhere at once.", logout),
    ]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who is calling."""

    kind: str
    id: str
    name: str
    organisation: str | None
    team: str | None
    project: str | None
    grants: list[dict[str, str | None]]
    """Roles, and where they hold."""
    session: bool
    """Known by a cookie: changes take the header `x-llmgw-csrf`."""


def me(principal: Principal) -> Me:
    """What somebody is told of themselves."""
    grants = [
        {"role": grant.role.value, "scope": grant.scope.value, "scope_id": grant.scope_id}
        for grant in principal.grants
    ]
    return Me(
        kind=principal.kind.value,
        id=principal.id,
        name=principal.name,
        organisation=principal.organisation,
        team=principal.team,
        project=principal.project,
        grants=grants,
        session=principal.session,
    )


async def _me(request: Request) -> Reply:
    if request.principal is None:
        raise Unauthenticated("You are not logged in.")
    return Reply(headers=(JSON, _NO_STORE), body=msgspec.json.encode(me(request.principal)))


def _redirect(to: str, *cookies: tuple[str, str]) -> Reply:
    return Reply(status=303, headers=(("location", to), _NO_STORE, *cookies))


def _row(method: str, path: str, access: Access, summary: str, handler: Handler) -> Endpoint:
    return Endpoint(
        method=method,
        path=path,
        permission=access,
        summary=summary,
        handler=handler,
        accepts=(),
        plane=Plane.ADMIN,
    )
