// What is stored of one conversation: its messages, page by page, and what their runs took and cost.

import { EMPTY, loaded, type Entry, type StoredMessage, type Transcript } from "@melton/client";

import { api, data, type Schemas } from "@/lib/api";

type Run = Schemas["RunOut"];

export interface Stored {
  readonly entries: readonly Entry[];
  readonly runs: ReadonlyMap<string, Run>;
  /** There are older messages. */
  readonly more: boolean;
  readonly state: "new" | "loading" | "ready";
  readonly error: unknown;
}

const NOTHING: Stored = { entries: [], runs: new Map(), more: false, state: "new", error: null };
const PAGE = 50;

export class History {
  readonly conversationId: string;
  private stored: Stored;
  private transcript: Transcript = EMPTY;
  private cursor: string | null = null;
  private runCursor: string | null = null;
  private readonly asked = new Set<string>();
  private readonly listeners = new Set<() => void>();

  /** `begun`: all of it was said here, so that nothing is to be read. */
  constructor(conversationId: string, begun: boolean) {
    this.conversationId = conversationId;
    this.stored = begun ? { ...NOTHING, state: "ready" } : NOTHING;
  }

  readonly get = (): Stored => this.stored;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  /** Read the newest messages, once; again after a failure. */
  open(): void {
    if (this.stored.state === "new") void this.load();
  }

  /** Read a page, the next older one where there is one already. */
  async load(): Promise<void> {
    if (this.stored.state === "loading") return;
    const first = this.stored.state === "new";
    this.tell({ state: "loading", error: null });
    try {
      const path = { conversation_id: this.conversationId };
      const query = { limit: PAGE, ...(this.cursor ? { cursor: this.cursor } : {}) };
      const [page] = await Promise.all([
        data(api.GET("/api/v1/conversations/{conversation_id}/messages", { params: { path, query } })),
        first || this.runCursor ? this.loadRuns(this.runCursor) : undefined,
      ]);
      this.transcript = loaded(this.transcript, page.items as StoredMessage[]);
      this.cursor = page.next_cursor ?? null;
      this.tell({ entries: this.transcript.entries, more: this.cursor !== null, state: "ready" });
    } catch (error) {
      this.tell({ error, state: first ? "new" : "ready" });
    }
  }

  /** Runs have ended: what did they take? What is told right at the end may not say it yet, so it is asked twice. */
  async learn(runIds: readonly string[]): Promise<void> {
    const fresh = runIds.filter((runId) => !this.asked.has(runId));
    if (fresh.length === 0) return;
    for (const runId of fresh) this.asked.add(runId);
    for (const pause of [0, 1_500]) {
      if (pause) await new Promise((resolve) => setTimeout(resolve, pause));
      // Only numbers beside the answer: without them it is shown all the same.
      await this.loadRuns(null).catch(() => undefined);
      if (fresh.every((runId) => this.stored.runs.get(runId)?.finished_at)) return;
    }
  }

  private async loadRuns(cursor: string | null): Promise<void> {
    const path = { conversation_id: this.conversationId };
    const query = { limit: PAGE, ...(cursor ? { cursor } : {}) };
    const page = await data(api.GET("/api/v1/conversations/{conversation_id}/runs", { params: { path, query } }));
    if (cursor !== null || this.runCursor === null) this.runCursor = page.next_cursor ?? null;
    this.tell({ runs: new Map([...this.stored.runs, ...page.items.map((run) => [run.id, run] as const)]) });
  }

  private tell(change: Partial<Stored>): void {
    this.stored = { ...this.stored, ...change };
    for (const listener of [...this.listeners]) listener();
  }
}
