"use client";

import { Check, Copy } from "lucide-react";
import { useTranslations } from "next-intl";
import { useEffect, useState } from "react";

import { IconButton } from "./button";

/** Copies a text and says so. */
export function CopyButton({ text, label, className }: { text: string | (() => string); label?: string; className?: string }) {
  const t = useTranslations("common.copy");
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1_600);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    await writeText(typeof text === "string" ? text : text());
    setCopied(true);
  };
  return (
    <IconButton label={copied ? t("copied") : (label ?? t("copy"))} className={className} onClick={() => void copy()}>
      {copied ? <Check aria-hidden className="text-good" /> : <Copy aria-hidden />}
      <span role="status" className="sr-only">
        {copied ? t("copied") : ""}
      </span>
    </IconButton>
  );
}

/** The clipboard, also on pages without a secure context. */
async function writeText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
