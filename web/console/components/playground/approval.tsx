"use client";

import { Check, Pencil, X } from "lucide-react";
import { useTranslations } from "next-intl";
import { useEffect, useState } from "react";

import { Button } from "@/components/ui/button";
import { CodeEditor } from "@/components/ui/code-editor";
import { useErrorText } from "@/components/ui/error-state";
import { Field, Input } from "@/components/ui/field";
import { Locked } from "@/components/ui/locked";
import { Ago } from "@/components/ui/time";
import type { ToolBlock } from "@melton/client";
import { api } from "@/lib/api";
import { asApiError } from "@/lib/errors";

import { useActions } from "./actions";
import { JsonView } from "./json-view";
import { parsedObject, pretty } from "./model/entries";

type Mode = "asking" | "editing" | "denying";

/** Asks whether a call may be made: as it is, with other arguments, or not. */
export function Approval({ card, runId }: { card: ToolBlock; runId: string }) {
  const t = useTranslations("playground.approval");
  const { decided, may } = useActions();
  const text = useErrorText();
  const [mode, setMode] = useState<Mode>("asking");
  const [input, setInput] = useState(() => pretty(card.input));
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState<"approve" | "deny" | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const edited = mode === "editing" && input !== pretty(card.input);
  const valid = mode !== "editing" || parsedObject(input) !== null;

  const turn = (next: Mode) => {
    setMode(next);
    setSaid(null);
  };
  const decide = async (decision: "approve" | "deny") => {
    setBusy(decision);
    setSaid(null);
    const changed = decision === "approve" && edited ? parsedObject(input) : null;
    const body = { decision, ...(changed ? { input: changed } : {}), ...(decision === "deny" && reason.trim() ? { reason: reason.trim() } : {}) };
    try {
      await api.POST("/api/v1/runs/{run_id}/approvals/{tool_use_id}", { params: { path: { run_id: runId, tool_use_id: card.id } }, body });
      decided();
    } catch (error) {
      const { code, fields } = asApiError(error);
      setBusy(null);
      if (code === "already_decided" || code === "nothing_to_decide") {
        setSaid(t("elsewhere"));
        decided();
      } else {
        const words = text(error);
        // The API's own words name what is wrong already, where there is one fault.
        const more = fields.filter(({ message }) => !words.includes(message));
        setSaid([words, ...more.map(({ field, message }) => `${field}: ${message}`)].join("\n"));
      }
    }
  };

  return (
    <div role="group" aria-label={t("label", { name: card.name })} className="flex flex-col gap-3">
      <p className="text-sm text-ink">
        {t("question")} {card.expiresAt ? <Expiry time={card.expiresAt} /> : null}
      </p>
      {mode === "editing" ? (
        <Field label={t("arguments")} error={valid ? null : t("invalid")}>
          <CodeEditor value={input} onChange={setInput} label={t("arguments")} minHeight="5rem" maxHeight="18rem" />
        </Field>
      ) : (
        <JsonView title={t("arguments")} value={card.input} />
      )}
      {mode === "denying" ? (
        <Field label={t("reason")} hint={t("reasonHint")}>
          <Input autoFocus value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
        </Field>
      ) : null}
      {said ? (
        <p role="alert" className="text-sm break-words whitespace-pre-wrap text-bad">
          {said}
        </p>
      ) : null}
      {may ? (
        <div className="flex flex-wrap gap-2">
          {mode === "denying" ? (
            <>
              <Button kind="danger" size="sm" icon={<X aria-hidden />} busy={busy === "deny"} onClick={() => void decide("deny")}>
                {t("deny")}
              </Button>
              <Button kind="ghost" size="sm" onClick={() => turn("asking")}>
                {t("back")}
              </Button>
            </>
          ) : (
            <>
              <Button kind="primary" size="sm" icon={<Check aria-hidden />} busy={busy === "approve"} disabled={!valid} onClick={() => void decide("approve")}>
                {edited ? t("approveEdited") : t("approve")}
              </Button>
              <Button size="sm" icon={<Pencil aria-hidden />} onClick={() => turn(mode === "editing" ? "asking" : "editing")}>
                {mode === "editing" ? t("keep") : t("edit")}
              </Button>
              <Button kind="danger" size="sm" icon={<X aria-hidden />} disabled={busy !== null} onClick={() => turn("denying")}>
                {t("denyStart")}
              </Button>
            </>
          )}
        </div>
      ) : (
        <Locked need="run" />
      )}
    </div>
  );
}

/** Until when somebody can decide, and that it is too late then, even before the run has taken notice. */
function Expiry({ time }: { time: string }) {
  const t = useTranslations("playground.approval");
  const [late, setLate] = useState(false);
  useEffect(() => {
    // Timers count to 24 days; nothing waits that long.
    const timer = setTimeout(() => setLate(true), Math.max(0, Date.parse(time) - Date.now()));
    return () => clearTimeout(timer);
  }, [time]);
  return <span className="text-ink-soft">{late ? t("late") : t.rich("expires", { time: () => <Ago time={time} /> })}</span>;
}
