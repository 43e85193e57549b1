"use client";

import { ArrowUp, Square, X } from "lucide-react";
import { useTranslations } from "next-intl";
import { memo, useEffect, useId, useImperativeHandle, useLayoutEffect, useRef, useState, type KeyboardEvent, type Ref } from "react";

import { IconButton } from "@/components/ui/button";
import { cn } from "@/lib/cn";

import type { Drafts } from "./model/drafts";

export interface ComposerHandle {
  /** Put a text into the field, to be said in other words. */
  edit(text: string): void;
  focus(): void;
}

interface Props {
  drafts: Drafts;
  conversationId: string | null;
  agentName: string;
  /** An answer is being made. */
  running: boolean;
  /** What was said last, for the arrow key. */
  last: string | undefined;
  /** Says it; answers why it cannot be said, or null. */
  onSend: (text: string) => string | null;
  onStop: () => void;
  ref: Ref<ComposerHandle>;
}

const HEIGHT = 220;

/** Where one writes. What is typed is kept until it is sent. */
export const Composer = memo(function Composer({ drafts, conversationId, agentName, running, last, onSend, onStop, ref }: Props) {
  const t = useTranslations("playground.composer");
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(() => drafts.read(conversationId));
  const [editing, setEditing] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const place = useRef(conversationId);

  useEffect(() => {
    if (conversationId !== null && place.current === null) drafts.move(null, conversationId);
    place.current = conversationId;
  }, [drafts, conversationId]);

  useLayoutEffect(() => {
    const area = field.current;
    if (!area) return;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, HEIGHT)}px`;
  }, [text]);

  const write = (value: string) => {
    setText(value);
    setFault(null);
    drafts.write(conversationId, value);
  };
  const recall = (value: string) => {
    write(value);
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(value.length, value.length);
    });
  };
  useImperativeHandle(ref, () => ({
    edit: (value) => {
      setEditing(true);
      recall(value);
    },
    focus: () => field.current?.focus(),
  }));

  const send = () => {
    if (!text.trim()) return;
    const why = onSend(text.trim());
    if (why !== null) {
      setFault(why);
      return;
    }
    setEditing(false);
    write("");
    field.current?.focus();
  };
  const leave = () => {
    setEditing(false);
    recall("");
  };
  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // Enter that ends the choice of a character belongs to the input method; Safari tells by the code alone.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      send();
    } else if (event.key === "ArrowUp" && text === "" && last) {
      event.preventDefault();
      recall(last);
    } else if (event.key === "Escape" && editing) {
      leave();
    } else if (event.key === "Escape" && running) {
      event.preventDefault();
      onStop();
    }
  };

  return (
    <div className="mx-auto w-full max-w-3xl px-3 pb-3 sm:px-6 sm:pb-5">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
        className={cn("rounded-2xl border bg-surface shadow-low transition-colors focus-within:border-accent", fault ? "border-bad" : "border-line-strong")}
      >
        {editing ? (
          <p className="flex items-center justify-between gap-2 border-b border-line py-1 pr-1.5 pl-4 text-[13px] text-ink-soft">
            {t("editing")}
            <IconButton label={t("leave")} className="size-7" onClick={leave}>
              <X aria-hidden />
            </IconButton>
          </p>
        ) : null}
        <div className="flex items-end gap-1.5 p-1.5">
          <textarea
            ref={field}
            rows={1}
            dir="auto"
            aria-label={t("label")}
            aria-describedby={`${id}-hint`}
            aria-invalid={fault !== null || undefined}
            placeholder={t("placeholder", { name: agentName })}
            value={text}
            enterKeyHint="send"
            onChange={(event) => write(event.target.value)}
            onKeyDown={press}
            className="min-h-9 min-w-0 flex-1 resize-none bg-transparent px-2.5 py-1.5 text-[15px] leading-relaxed text-ink outline-none placeholder:overflow-hidden placeholder:text-ellipsis placeholder:whitespace-nowrap placeholder:text-ink-faint pointer-coarse:text-base"
          />
          {running ? (
            <IconButton label={t("stop")} onClick={onStop} className="size-9 rounded-xl border border-line-strong">
              <Square aria-hidden className="fill-current" />
            </IconButton>
          ) : null}
          {running && !text.trim() ? null : (
            <IconButton type="submit" label={running ? t("queue") : t("send")} disabled={!text.trim()} className="size-9 rounded-xl bg-accent text-on-accent hover:bg-accent-hover hover:text-on-accent">
              <ArrowUp aria-hidden />
            </IconButton>
          )}
        </div>
      </form>
      <p id={`${id}-hint`} className={cn("mt-1.5 min-h-4 px-2 text-xs", fault ? "text-bad" : "hidden text-ink-faint sm:block")} role={fault ? "alert" : undefined}>
        {fault ?? (running ? t("hintRunning") : t("hint"))}
      </p>
    </div>
  );
});
