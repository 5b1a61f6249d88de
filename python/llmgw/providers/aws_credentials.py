"""AWS credentials: given as they are, or by the library botocore (`llmgw[bedrock]`)."""

import time
from typing import Any

import msgspec

from llmgw.providers.base import AwsAccess, TargetError
from llmgw.providers.leases import Lease, LeaseError
from llmgw.settings.environment import Environment
from llmgw.settings.secrets import Secret

_CONNECT_SECONDS = 5
_READ_SECONDS = 10
_SESSION_NAME = "llmgw"
_LOOK_AGAIN_SECONDS = 300.0
"""What AWS's tools find is asked for again this often: they hand a new one out five minutes before the
old one expires, and do not say when that is."""
_MISSING = "these credentials need botocore: pip install 'llmgw[bedrock]'"


class AccessKey(msgspec.Struct, frozen=True):
    """What requests are signed with."""

    id: str
    secret: Secret
    session_token: Secret | None = None


def given_key(access: AwsAccess, environment: Environment) -> AccessKey | None:
    """The access key of the file; of the environment, if the file names nothing else.

    Raises:
        TargetError: one half of it is missing.
    """
    if access.aws_access_key_id is not None and access.aws_secret_access_key is not None:
        identifier = access.aws_access_key_id.reveal()
        return AccessKey(identifier, access.aws_secret_access_key, access.aws_session_token)
    if access.aws_access_key_id is not None or access.aws_secret_access_key is not None:
        field = "aws_access_key_id" if access.aws_access_key_id is None else "aws_secret_access_key"
        raise TargetError(field, "an access key is both aws_access_key_id and aws_secret_access_key")
    known, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    if access.aws_profile_name is not None or not known or not secret:
        return None
    token = environment.get("AWS_SESSION_TOKEN")
    return AccessKey(known, Secret(secret), Secret(token) if token else None)


def check_library() -> Any:
    """The library.

    Raises:
        TargetError: it is not installed.
    """
    try:
        import botocore.session  # noqa: PLC0415 - an extra, loaded where a deployment asks for it
    except ImportError:
        raise TargetError("aws_access_key_id", _MISSING) from None
    return botocore.session


def profile_region(access: AwsAccess, environment: Environment) -> str | None:
    """The region that AWS's shared files name, if botocore is there to read them."""
    try:
        found = _session(access, environment).get_config_variable("region")
    except (TargetError, LeaseError):
        return None
    return str(found) if found else None


def fetch_key(
    access: AwsAccess, region: str, base: AccessKey | None, environment: Environment
) -> Lease[AccessKey]:
    """An access key for a role, of a profile, or from wherever AWS's tools look.

    `base` is what a role is assumed with; without it, what AWS's tools find.

    Raises:
        LeaseError: AWS gives none.
    """
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra

    session = _session(access, environment)
    try:
        if access.aws_role_name is not None:
            return _assumed(session, access, region, base)
        return _found(session)
    except (BotoCoreError, ClientError, OSError) as error:
        raise LeaseError(f"no credentials of AWS: {' '.join(str(error).split())}") from error


def _session(access: AwsAccess, environment: Environment) -> Any:
    library = check_library()
    from botocore.config import Config  # noqa: PLC0415 - an extra
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    session = library.Session(profile=access.aws_profile_name or environment.get("AWS_PROFILE"))
    patience = Config(
        connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS, retries={"total_max_attempts": 2}
    )
    try:
        session.set_default_client_config(patience)
        session.get_scoped_config()
    except BotoCoreError as error:
        raise LeaseError(f"no credentials of AWS: {error}") from error
    return session


def _found(session: Any) -> Lease[AccessKey]:
    credentials = session.get_credentials()
    if credentials is None:
        raise LeaseError("no credentials of AWS: none are configured on this machine")
    frozen = credentials.get_frozen_credentials()
    token = Secret(frozen.token) if frozen.token else None
    return Lease(
        AccessKey(frozen.access_key, Secret(frozen.secret_key), token), time.time() + _LOOK_AGAIN_SECONDS
    )


def _assumed(session: Any, access: AwsAccess, region: str, base: AccessKey | None) -> Lease[AccessKey]:
    """The key of a role's session."""
    asked = {"RoleArn": access.aws_role_name, "RoleSessionName": access.aws_session_name or _SESSION_NAME}
    if access.aws_web_identity_token is not None:
        from botocore import UNSIGNED  # noqa: PLC0415 - an extra
        from botocore.config import Config  # noqa: PLC0415

        client = _sts(session, access, region, None, Config(signature_version=UNSIGNED))
        token = access.aws_web_identity_token.reveal()
        answer = client.assume_role_with_web_identity(**asked, WebIdentityToken=token)
    else:
        if access.aws_external_id is not None:
            asked["ExternalId"] = access.aws_external_id
        answer = _sts(session, access, region, base, None).assume_role(**asked)
    got = answer["Credentials"]
    key = AccessKey(got["AccessKeyId"], Secret(got["SecretAccessKey"]), Secret(got["SessionToken"]))
    return Lease(key, got["Expiration"].timestamp())


def _sts(session: Any, access: AwsAccess, region: str, base: AccessKey | None, config: Any) -> Any:
    """A client of the token service."""
    shown: dict[str, str | None] = {}
    if base is not None:
        token = None if base.session_token is None else base.session_token.reveal()
        shown = {
            "aws_access_key_id": base.id,
            "aws_secret_access_key": base.secret.reveal(),
            "aws_session_token": token,
        }
    return session.create_client(
        "sts", region_name=region, endpoint_url=access.aws_sts_endpoint, config=config, **shown
    )
