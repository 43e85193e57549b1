"""Greets a new connection: `agent_loaded`, or why not, exactly once, whoever is the first to do it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_builder.errors import CallerError
from agent_builder.jsontext import encode
from agent_builder.models.identity import Identity
from agent_builder.realtime.connections import Connections, Posted
from agent_builder.realtime.frames import error_frame
from agent_builder.services.intake import Intake

if TYPE_CHECKING:
    from agent_builder.realtime.frames_out import ServerFrame

_ATTEMPTS = 8
_PAUSE_SECONDS = 0.05
_LOOKS = 100
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Greeter:
    """Used by the runner, which `$connect` rings, and by the playground if a client's frame was quicker.

    Until `$connect` has returned API Gateway answers 410, so the runner's first post may have to be repeated.
    """

    intake: Intake
    connections: Connections
    sleep: Callable[[float], None] = time.sleep

    def greet(self, identity: Identity, connection_id: str) -> bool:
        """Say that the agent is there; if it is unknown, foreign or inactive, say that and close the connection.

        Returns:
            Whether it fell to the caller; somebody else does it otherwise.
        """
        mine = self.intake.claim_greeting(identity.tenant, connection_id)
        if mine:
            self._greet(identity, connection_id)
            self.intake.greeting_done(identity.tenant, connection_id)
        return mine

    def ensure(self, identity: Identity, connection_id: str) -> None:
        """Return when the connection is greeted, whoever does it: nothing may be sent before that.

        Who claimed the greeting may still be waiting for the connection to open, or have died.
        """
        for _ in range(_LOOKS):
            state = self.intake.greeting(identity.tenant, connection_id)
            if state == "due" and self.greet(identity, connection_id):
                return
            if state not in ("due", "claimed"):
                return
            self.sleep(_LOOK_SECONDS)
        self._greet(identity, connection_id)

    def _greet(self, identity: Identity, connection_id: str) -> None:
        try:
            agent = self.intake.agent(identity, identity.agent_id)
        except CallerError as error:
            self._post(connection_id, error_frame(error.error_code, error.detail))
            self.connections.close(connection_id)
        else:
            self._post(connection_id, {"type": "agent_loaded", "agent_id": agent.id})

    def _post(self, connection_id: str, frame: ServerFrame) -> None:
        data = encode(frame).encode()
        for attempt in range(_ATTEMPTS):
            if self.connections.post(connection_id, data) in (Posted.SENT, Posted.TOO_LARGE):
                return
            self.sleep(_PAUSE_SECONDS * (attempt + 1))
