"""A vendor's model that says, turn by turn, what a test lets it say to an agent."""

import json
from collections import deque
from dataclasses import replace

from tests.upstreams.speech import STREAMS, Turn
from tests.upstreams.vendors import fixtures, vendor
from tests.upstreams.vendors.checks import Refused
from tests.upstreams.vendors.vendor import Answer, Vendor, VendorUpstream

RECORDED = fixtures.meaning("text")["text"]


class ScriptedModel(VendorUpstream):
    """An upstream of this vendor, not yet started, as strict as ever about what it takes.

    Streams with tools are an agent's own turns and get the next queued one. What an agent asks beside them
    for JSON, in one piece, gets `aside`; whatever else (a title, a summary) the recorded reply `text`.
    """

    def __init__(self, own: Vendor) -> None:
        self._vendor = own
        self._turns: deque[Turn] = deque()
        self._said = 0
        self.aside = "{}"
        super().__init__(replace(own, special=self._special))

    def will_say(self, *turns: Turn) -> None:
        """Queue turns; what was queued before and not said is forgotten."""
        self._turns = deque(turns)

    @property
    def left(self) -> int:
        """Queued turns that nobody has asked for."""
        return len(self._turns)

    def _special(self, call: vendor.Call) -> Answer | None:
        known = self._vendor.special(call)
        if known is not None:
            return known
        gist = self._vendor.gist(call)
        if gist.stream and "tools" in gist.has:
            return self._next(call)
        return self._json() if "schema" in gist.has and not gist.stream else None

    def _next(self, call: vendor.Call) -> Answer:
        if not self._turns:
            raise Refused((), "the agent asks for one turn more than it should")
        self._said += 1
        events = list(STREAMS[self._vendor.wire](self._turns.popleft(), self._said))
        pieces = self._vendor.finish_stream(call, events)
        return Answer(200, [("content-type", self._vendor.stream_type)], pieces=pieces)

    def _json(self) -> Answer:
        body = fixtures.reply_body(self._vendor.wire, "text")
        text = json.dumps(self.aside)[1:-1].encode()
        return Answer(200, [("content-type", "application/json")], body.replace(RECORDED.encode(), text))
