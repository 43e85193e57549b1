"""Client of the playground for tests and scripts, on asyncio; `docs/client.md` shows it at work.

It behaves as the TypeScript client beside it does, under the same names. `session.py` is the whole behaviour without
I/O, `transcript.py` and `answer.py` put frames together, `client.py` does what they ask for.
"""

from web.client.python.answer import Answer, Failure
from web.client.python.blocks import Block, TextBlock, ThinkingBlock, ToolBlock
from web.client.python.client import PlaygroundClient, playground_url
from web.client.python.connection import State
from web.client.python.conversation import Accepted, Conversation, Sent
from web.client.python.errors import ClientError, Closed, InvalidContent, Refused, TicketFailed, TooLarge
from web.client.python.rest import message_source, ticket_source
from web.client.python.session import Session
from web.client.python.timing import Timing
from web.client.python.transcript import Question, Transcript, loaded, reduce

__all__ = [
    "Accepted",
    "Answer",
    "Block",
    "ClientError",
    "Closed",
    "Conversation",
    "Failure",
    "InvalidContent",
    "PlaygroundClient",
    "Question",
    "Refused",
    "Sent",
    "Session",
    "State",
    "TextBlock",
    "ThinkingBlock",
    "TicketFailed",
    "Timing",
    "TooLarge",
    "ToolBlock",
    "Transcript",
    "loaded",
    "message_source",
    "playground_url",
    "reduce",
    "ticket_source",
]
