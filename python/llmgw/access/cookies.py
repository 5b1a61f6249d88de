"""The two cookies that browsers keep for the gateway: a session's, and that of a login which has begun."""

SESSION = "llmgw"
"""Holds a session."""
PENDING = "llmgw-login"
"""Holds a login that has begun."""

_LONGEST = 16 * 1024


class Cookies:
    """Over https their names bind them to this very host (`__Host-`), so that no sister host can set them."""

    def __init__(self, public_url: str) -> None:
        secure = public_url.startswith("https://")
        self._prefix, self._more = ("__Host-", "; Secure") if secure else ("", "")

    def read(self, header: str, name: str) -> str | None:
        """The value of a cookie; none if it is there twice: which of them counts must not be a guess."""
        parts = (part.strip().partition("=") for part in header.split(";"))
        values = [value for own, _, value in parts if own == self._prefix + name]
        return values[0] if len(values) == 1 and len(header) <= _LONGEST else None

    def set(self, name: str, value: str, seconds: float) -> tuple[str, str]:
        """The header that gives a browser a cookie."""
        attributes = f"Path=/; Max-Age={int(seconds)}; HttpOnly; SameSite=Lax{self._more}"
        return "set-cookie", f"{self._prefix}{name}={value}; {attributes}"

    def drop(self, name: str) -> tuple[str, str]:
        """The header that takes it away."""
        return self.set(name, "", 0)
