"""What single values of a settings file may be, and what all of its sections have in common."""

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

_YEAR = 365 * 24 * 3600.0
_LARGE = 2**53
"""Whole numbers above this are not exact in every JSON reader."""

Count: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]
Positive: TypeAlias = Annotated[int, Meta(ge=1, le=_LARGE)]
Rate: TypeAlias = Annotated[int, Meta(ge=0, le=_LARGE)]
Seconds: TypeAlias = Annotated[float, Meta(gt=0, le=_YEAR)]
ZeroOrSeconds: TypeAlias = Annotated[float, Meta(ge=0, le=_YEAR)]
"""Zero switches off."""
Dollars: TypeAlias = Annotated[float, Meta(ge=0, le=1000)]
Money: TypeAlias = (
    Annotated[float, Meta(ge=0, le=_LARGE)] | Annotated[str, Meta(pattern=r"^[0-9]{1,10}(\.[0-9]{1,9})?$")]
)
"""Dollars, as a number or, exact whatever its length, as a text; of what is no money, a whole number."""
Share: TypeAlias = Annotated[float, Meta(ge=0, le=_LARGE)]
Port: TypeAlias = Annotated[int, Meta(ge=0, le=65535)]
ModelName: TypeAlias = Annotated[
    str, Meta(pattern=r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$", max_length=256)
]
Currency: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
KeyAlias: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@:/+-]{0,63}$")]
HeaderText: TypeAlias = Annotated[
    str, Meta(pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$", max_length=256)
]
CertificateWord: TypeAlias = Annotated[
    str, Meta(pattern=r"^([0-9A-Fa-f]{64}|(uri|dns):[\x21-\x7e]+)$", max_length=512)
]
Digest: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
FallbackList: TypeAlias = tuple[dict[str, tuple[str, ...]], ...]
Tag: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:/@+=-]{1,64}$")]
RegionName: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
RegionPattern: TypeAlias = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]*\*?[A-Za-z0-9_-]*$", min_length=1, max_length=64)
]
EndpointPattern: TypeAlias = Annotated[
    str, Meta(pattern=r"^[a-z_.]*\*?[a-z_.]*$", min_length=1, max_length=64)
]
PassName: TypeAlias = Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,31}$")]
PassGrant: TypeAlias = Annotated[str, Meta(pattern=r"^(\*|[a-z][a-z0-9_-]{0,31})$")]
PathPrefix: TypeAlias = Annotated[
    str, Meta(pattern="^(/[A-Za-z0-9_~:@.-]+)*/?$", min_length=1, max_length=256)
]
PathBase: TypeAlias = Annotated[str, Meta(pattern="^(/[A-Za-z0-9_~:@.-]+)*$", max_length=256)]
HeaderName: TypeAlias = Annotated[str, Meta(pattern="^[A-Za-z0-9-]{1,64}$")]
Method: TypeAlias = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def per_thousand_tokens(dollars: float) -> int:
    """Nano-dollars per thousand tokens, of dollars per token as they are written: whole, as prices are."""
    return round(Decimal(str(dollars)) * 10**12)


def nano_dollars(dollars: Money) -> int:
    """Whole nano-dollars of dollars as they are written.

    Raises:
        ValueError: there are parts of a nano-dollar.
    """
    exact = Decimal(str(dollars)) * 10**9
    if exact != int(exact):
        raise ValueError(f"{dollars} dollars are no whole number of nano-dollars")
    return int(exact)


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping of the settings file; keys it does not name are refused."""
