"use client";

import { Ellipsis, Pencil, Trash2 } from "lucide-react";
import { useTranslations } from "next-intl";
import { useState, type KeyboardEvent } from "react";
import { toast } from "@/lib/toast";

import { IconButton } from "@/components/ui/button";
import { useErrorText } from "@/components/ui/error-state";
import { Input } from "@/components/ui/field";
import { Menu, MenuItem } from "@/components/ui/menu";
import { api, type Schemas } from "@/lib/api";
import { cn } from "@/lib/cn";
import { useMay } from "@/lib/me";

interface Props {
  item: Schemas["ConversationOut"];
  current: boolean;
  onOpen: () => void;
  onDelete: () => void;
  onRenamed: () => Promise<void>;
}

/** A conversation in the list. Its title is changed in its place. */
export function ConversationRow({ item, current, onOpen, onDelete, onRenamed }: Props) {
  const t = useTranslations("playground.conversations");
  const text = useErrorText();
  const may = useMay("run");
  const [typed, setTyped] = useState<string | null>(null);
  const [saved, setSaved] = useState<{ title: string; over: string } | null>(null);
  // Shown at once; the list's own word counts as soon as it has changed.
  const title = saved && saved.over === item.title ? saved.title : item.title;

  const rename = async () => {
    const wanted = typed?.trim() ?? "";
    setTyped(null);
    if (!wanted || wanted === title) return;
    setSaved({ title: wanted, over: item.title });
    try {
      await api.PATCH("/api/v1/conversations/{conversation_id}", { params: { path: { conversation_id: item.id } }, body: { title: wanted } });
      await onRenamed();
    } catch (error) {
      setSaved(null);
      toast.error(text(error));
    }
  };
  const press = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter") void rename();
    if (event.key !== "Escape") return;
    event.stopPropagation();
    setTyped(null);
  };

  if (typed !== null) {
    return (
      <li>
        <Input autoFocus aria-label={t("title")} value={typed} maxLength={200} onChange={(event) => setTyped(event.target.value)} onKeyDown={press} onBlur={() => void rename()} onFocus={(event) => event.target.select()} />
      </li>
    );
  }
  return (
    <li className={cn("group flex items-center rounded-lg transition-colors", current ? "bg-accent-soft" : "hover:bg-hover")}>
      <button type="button" aria-current={current ? "true" : undefined} title={title} dir="auto" onClick={onOpen} className={cn("h-9 min-w-0 flex-1 truncate rounded-lg pr-1 pl-2.5 text-start text-[13px] pointer-coarse:h-11", current ? "font-medium text-accent-ink" : "text-ink-soft group-hover:text-ink")}>
        {title}
      </button>
      {may ? (
        <Menu
          trigger={
            <IconButton label={t("actions", { title })} className="mr-0.5 size-7 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 aria-expanded:opacity-100 pointer-coarse:opacity-100">
              <Ellipsis aria-hidden />
            </IconButton>
          }
        >
          <MenuItem icon={<Pencil aria-hidden />} onSelect={() => setTyped(title)}>
            {t("rename")}
          </MenuItem>
          <MenuItem danger icon={<Trash2 aria-hidden />} onSelect={onDelete}>
            {t("delete")}
          </MenuItem>
        </Menu>
      ) : null}
    </li>
  );
}
