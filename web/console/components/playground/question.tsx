"use client";

import { Pencil, RotateCcw } from "lucide-react";
import { useTranslations } from "next-intl";
import { memo } from "react";

import { Button, IconButton } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import type { Question } from "@melton/client";

import { useActions } from "./actions";

/** What its user said. */
export const QuestionView = memo(function QuestionView({ question, online }: { question: Question; online: boolean }) {
  const t = useTranslations("playground.question");
  const { may, edit, resend, takeBack } = useActions();
  const { status, error, clientMessageId } = question;
  return (
    <article aria-label={t("label")} className="group flex flex-col items-end gap-1">
      <div dir="auto" className="max-w-[88%] rounded-2xl rounded-br-md bg-accent-soft px-4 py-2.5 text-[15px] leading-relaxed break-words whitespace-pre-wrap text-ink sm:max-w-[80%]">{question.content}</div>
      {status === "refused" ? (
        <div role="alert" className="flex flex-wrap items-center justify-end gap-2 text-[13px] text-bad">
          <span>{t("refused", { reason: error?.detail ?? "" })}</span>
          {clientMessageId ? (
            <>
              <Button size="sm" icon={<RotateCcw aria-hidden />} onClick={() => resend(clientMessageId)}>
                {t("resend")}
              </Button>
              <Button size="sm" kind="ghost" onClick={() => takeBack(clientMessageId)}>
                {t("withdraw")}
              </Button>
            </>
          ) : null}
        </div>
      ) : null}
      {status === "sending" ? (
        <div className="flex items-center gap-1 text-xs text-ink-faint">
          {online ? t("sending") : t("waiting")}
          {online || !clientMessageId ? null : (
            <Button size="sm" kind="ghost" onClick={() => takeBack(clientMessageId)}>
              {t("withdraw")}
            </Button>
          )}
        </div>
      ) : null}
      <div className="-mb-6 flex items-center opacity-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
        <CopyButton text={question.content} label={t("copy")} className="size-7" />
        {may ? (
          <IconButton label={t("edit")} className="size-7" onClick={() => edit(question.content)}>
            <Pencil aria-hidden />
          </IconButton>
        ) : null}
      </div>
    </article>
  );
});
