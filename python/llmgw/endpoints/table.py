"""Finds the row of a request: by exact path first, then by pattern."""

import re

from llmgw.endpoints.base import Endpoint
from llmgw.errors import MethodNotAllowed, NotFound


class Table:
    """The rows, indexed."""

    def __init__(self, endpoints: list[Endpoint]) -> None:
        self._exact: dict[str, dict[str, Endpoint]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Endpoint]]] = []
        patterns: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            rows = patterns if "{" in endpoint.path else self._exact
            rows.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        self._patterns = [(_compile(path), methods) for path, methods in patterns.items()]

    def match(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]]:
        """The row for a request, and what its placeholders matched.

        Raises:
            NotFound: no row has the path.
            MethodNotAllowed: rows have it, for other methods.
        """
        methods, parameters = self._find(path)
        if methods is None:
            raise NotFound(f"There is no endpoint {path[:200]}.")
        row = methods.get("GET" if method == "HEAD" else method)
        if row is None:
            allowed = ", ".join(sorted(methods))
            raise MethodNotAllowed(f"{path[:200]} takes {allowed}, not {method[:20]}.")
        return row, parameters

    def allowed(self, path: str) -> str:
        """The methods of a path, for the `Allow` header."""
        methods, _ = self._find(path)
        return ", ".join(sorted(methods or ()))

    def _find(self, path: str) -> tuple[dict[str, Endpoint] | None, dict[str, str]]:
        if (methods := self._exact.get(path)) is not None:
            return methods, {}
        for pattern, methods in self._patterns:
            if found := pattern.fullmatch(path):
                return methods, found.groupdict()
        return None, {}


def _compile(path: str) -> re.Pattern[str]:
    parts = re.split(r"({\w+\*?})", path)
    return re.compile("".join(_expression(part) for part in parts))


def _expression(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    name = part.strip("{}")
    return f"(?P<{name[:-1]}>.+)" if name.endswith("*") else f"(?P<{name}>[^/]+)"
