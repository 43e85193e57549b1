// What travels: frames, see docs/api.md, and messages as REST gives them. All of it comes from schema.ts, which is made
// from the server's own description; here are the names by which the client knows it.

import type {
  ContentSnapshotFrame, MessageAcceptedFrame, MessageCompleteFrame, MessageOut, ObjectionFrame, RunFailedFrame,
  RunProgressFrame, ServerFrame as AnyServerFrame, ToolUseCompleteFrame,
} from "./schema.js";

export type {
  ApprovalFrame, ApprovalRequiredFrame as ApprovalRequired, ClientFrame, ContentDeltaFrame as ContentDelta,
  ContentSnapshotFrame as ContentSnapshot, Cost, MessageAcceptedFrame as MessageAccepted,
  MessageCompleteFrame as MessageComplete, MessageOut as StoredMessage, NeedsReconnectFrame as NeedsReconnect,
  RunCancelledFrame as RunCancelled, RunFailedFrame as RunFailed, RunProgressFrame as RunProgress,
  StepResetFrame as StepReset, ThinkingDeltaFrame as ThinkingDelta, ToolOutputDeltaFrame as ToolOutputDelta,
  ToolUseCompleteFrame as ToolUseComplete, ToolUseStartFrame as ToolUseStart, Usage,
} from "./schema.js";

export type RunIds = Pick<RunProgressFrame, "conversation_id" | "run_id" | "message_id">;
export type RunStatus = ContentSnapshotFrame["status"];
export type Part = MessageOut["parts"][number];

/** What a tool answered: part of a frame, and of a stored message. */
export type ToolOutcome = Partial<
  Pick<ToolUseCompleteFrame, "result" | "error" | "outcome" | "duration_ms" | "needs_reconnect">
>;

/** What became of a call that has no result. */
export type CallOutcome = NonNullable<ToolUseCompleteFrame["outcome"]>;

/** What frames that end a run may say of it. */
export type Ending = RunIds &
  Partial<Pick<MessageCompleteFrame, "content" | "truncated" | "stop_reason" | "usage" | "cost">>;

/** About one frame, or about the connection: it has no run. */
export type Objection = ObjectionFrame & { readonly run_id?: undefined };

/** Frames that tell of one run. */
export type RunFrame = Exclude<Extract<AnyServerFrame, RunIds>, MessageAcceptedFrame>;

export type ServerFrame = Exclude<AnyServerFrame, ObjectionFrame> | RunFailedFrame | Objection;
