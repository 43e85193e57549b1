// Frames as they travel, see docs/api.md. Names are those of the protocol.

export interface RunIds {
  readonly conversation_id?: string;
  readonly run_id: string;
  readonly message_id?: string;
}

export interface Usage {
  readonly input_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly output_tokens: number;
  readonly reasoning_tokens: number;
}

export interface Cost {
  readonly amount_nanousd: number | null;
  readonly unpriced_steps: number;
}

export type RunStatus = "queued" | "running" | "completed" | "failed" | "cancelled";

export type Part =
  | { readonly type: "text" | "thinking"; readonly text: string }
  | { readonly type: "tool_call"; readonly tool_use_id: string; readonly name: string; readonly input?: unknown }
  | ({ readonly type: "tool_result"; readonly tool_use_id: string; readonly name: string } & ToolOutcome);

/** What a tool answered: part of a frame, and of a stored message. */
export interface ToolOutcome {
  readonly result?: unknown;
  readonly error?: string | null;
  readonly duration_ms?: number | null;
  /** The credential that a person must connect before the tool works. */
  readonly needs_reconnect?: string | null;
}

interface Numbered extends RunIds {
  readonly seq: number;
}

export interface ContentDelta extends Numbered {
  readonly type: "content_delta";
  readonly delta: string;
  readonly offset: number;
}

export interface ThinkingDelta extends Numbered {
  readonly type: "thinking_delta";
  readonly delta: string;
  readonly step_id?: string;
}

export interface ToolUseStart extends Numbered {
  readonly type: "tool_use_start";
  readonly tool_name: string;
  readonly tool_use_id: string;
  readonly input?: unknown;
  readonly step_id?: string;
  readonly parent_tool_use_id?: string;
}

export interface ToolUseComplete extends Numbered, ToolOutcome {
  readonly type: "tool_use_complete";
  readonly tool_name: string;
  readonly tool_use_id: string;
  readonly step_id?: string;
  readonly parent_tool_use_id?: string;
}

export interface ToolOutputDelta extends Numbered {
  readonly type: "tool_output_delta";
  readonly tool_use_id: string;
  readonly delta: string;
  readonly offset: number;
}

/** Beside the end of a call: a person must connect this credential before the tool works. */
export interface NeedsReconnect extends Numbered {
  readonly type: "needs_reconnect";
  readonly tool_name: string;
  readonly tool_use_id: string;
  readonly credential_id: string;
}

export interface ApprovalRequired extends RunIds {
  readonly type: "approval_required";
  readonly tool_name: string;
  readonly tool_use_id: string;
  readonly input?: unknown;
  readonly expires_at?: string;
  readonly seq?: number;
  readonly step_id?: string;
}

export interface StepReset extends Numbered {
  readonly type: "step_reset";
  readonly step_id?: string;
  readonly offset: number;
}

export interface ContentSnapshot extends Numbered {
  readonly type: "content_snapshot";
  readonly content: string;
  readonly offset: number;
  readonly parts?: readonly Part[];
  readonly status: RunStatus;
}

export interface RunProgress extends RunIds {
  readonly type: "run_progress";
  readonly phase?: string;
}

export interface Ending extends RunIds {
  readonly content?: string;
  readonly truncated?: boolean;
  readonly stop_reason?: string | null;
  readonly usage?: Usage;
  readonly cost?: Cost | null;
}

export interface MessageComplete extends Ending {
  readonly type: "message_complete";
}

export interface RunCancelled extends Ending {
  readonly type: "run_cancelled";
}

export interface RunFailed extends Ending {
  readonly type: "error";
  readonly error: string;
  /** As in docs/api.md. `budget_exceeded`: nothing helps until the period is over, or an owner raises the budget. */
  readonly code: string;
  readonly retryable?: boolean;
}

/** Frames that tell of one run. */
export type RunFrame =
  | ContentDelta
  | ThinkingDelta
  | ToolUseStart
  | ToolUseComplete
  | ToolOutputDelta
  | ApprovalRequired
  | NeedsReconnect
  | StepReset
  | ContentSnapshot
  | RunProgress
  | MessageComplete
  | RunCancelled
  | RunFailed;

export interface MessageAccepted extends RunIds {
  readonly type: "message_accepted";
  readonly conversation_id: string;
  readonly message_id: string;
  readonly client_message_id?: string;
  readonly queued: boolean;
}

/** About one frame, or about the connection. */
export interface Objection {
  readonly type: "error";
  readonly error: string;
  readonly code: string;
  readonly retryable?: boolean;
  readonly client_message_id?: string;
  readonly run_id?: undefined;
}

export type ServerFrame =
  | RunFrame
  | MessageAccepted
  | Objection
  | { readonly type: "agent_loaded"; readonly agent_id: string }
  | { readonly type: "conversation_started"; readonly conversation_id: string }
  | { readonly type: "pong" };

export interface ApprovalFrame {
  readonly type: "approval";
  readonly run_id: string;
  readonly tool_use_id: string;
  readonly decision: "approve" | "deny";
  readonly input?: Readonly<Record<string, unknown>>;
  readonly reason?: string;
}

export type ClientFrame =
  | {
      readonly type: "user_message";
      readonly client_message_id: string;
      readonly content: string;
      readonly conversation_id?: string;
    }
  | { readonly type: "resume"; readonly conversation_id: string }
  | { readonly type: "cancel"; readonly conversation_id: string; readonly run_id?: string }
  | ApprovalFrame
  | { readonly type: "ping" };

/** A message as REST gives it. */
export interface StoredMessage {
  readonly id: string;
  readonly run_id: string;
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly parts: readonly Part[];
  readonly created_at?: string;
  readonly status?: RunStatus;
  readonly stop_reason?: string | null;
  readonly usage?: Usage | null;
  readonly cost?: Cost | null;
  /** Why it failed, if it did. */
  readonly error?: { readonly code: string; readonly detail: string } | null;
}
