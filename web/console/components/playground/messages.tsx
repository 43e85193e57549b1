"use client";

import type { Entry } from "@melton/client";
import { Fragment, memo } from "react";

import { AnswerView, Queued } from "./answer";
import { keyOf } from "./model/entries";
import type { Stored } from "./model/history";
import { QuestionView } from "./question";

interface Props {
  entries: readonly Entry[];
  runs: Stored["runs"] | undefined;
  online: boolean;
}

/** All messages; each is made anew only where it is another object. */
export const Messages = memo(function Messages({ entries, runs, online }: Props) {
  const asked = new Map(entries.flatMap((entry) => (entry.role === "user" && entry.runId !== null ? [[entry.runId, entry.content] as const] : [])));
  return entries.map((entry, index) =>
    entry.role === "user" ? (
      <Fragment key={keyOf(entry)}>
        <QuestionView question={entry} online={online} />
        {entry.runId !== null && entries[index + 1]?.runId !== entry.runId && runs?.get(entry.runId)?.status === "queued" ? <Queued runId={entry.runId} /> : null}
      </Fragment>
    ) : (
      <AnswerView key={keyOf(entry)} answer={entry} run={runs?.get(entry.runId)} asked={asked.get(entry.runId)} />
    ),
  );
});
