// Client of the playground, see docs/client.md. No dependencies; browsers, and Node 22 or later.

export { isOver, type Answer, type Failure } from "./answer.js";
export type { Messages } from "./archive.js";
export type { Block, Blocks, TextBlock, ThinkingBlock, ToolBlock, ToolStatus } from "./blocks.js";
export { PlaygroundClient, freshId, playgroundUrl, type ClientOptions } from "./client.js";
export type { Clock } from "./clock.js";
export type { ConnectionState } from "./connection.js";
export { FRAME_LIMIT, checkContent } from "./content.js";
export { Conversation, Sent, type Accepted } from "./conversation.js";
export { ClientError, Closed, InvalidContent, Refused, TicketFailed, TooLarge } from "./errors.js";
export type { Socket, Sockets, Ticket } from "./line.js";
export { messageSource, ticketSource, type RestOptions } from "./rest.js";
export { Session, type SessionOptions } from "./session.js";
export { TIMING, type Timing } from "./timing.js";
export {
  EMPTY, activeAnswers, answerOf, loaded, questionOf, reduce, type Entry, type Question, type Transcript,
} from "./transcript.js";
export type * from "./wire.js";
