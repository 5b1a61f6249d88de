"""What every row of a noun has, whatever it is of."""

import msgspec


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The columns of every noun; the store sets them."""

    id: str = ""
    created_at: int = 0
    updated_at: int = 0
    version: int = 1
