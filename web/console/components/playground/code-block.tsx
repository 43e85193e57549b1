"use client";

import { useTranslations } from "next-intl";
import { memo, useEffect, useState } from "react";

import { CopyButton } from "@/components/ui/copy-button";

const TOO_LONG = 60_000;

/** Code with its language and a way to copy it. Colours come once it is whole. */
export const CodeBlock = memo(function CodeBlock({ text, language, live = false }: { text: string; language: string; live?: boolean }) {
  const t = useTranslations("playground.code");
  const [coloured, setColoured] = useState<{ text: string; html: string } | null>(null);
  useEffect(() => {
    if (live || !language || text.length > TOO_LONG) return;
    let here = true;
    void import("./highlight").then(({ highlighted }) => {
      const html = highlighted(text, language.toLowerCase());
      if (here && html !== null) setColoured({ text, html });
    });
    return () => {
      here = false;
    };
  }, [live, text, language]);
  return (
    <figure className="code-block">
      <figcaption>
        <span className="truncate font-mono">{language || t("plain")}</span>
        <CopyButton text={text} label={t("copy")} className="size-7" />
      </figcaption>
      {/* A region that scrolls has to be reachable by keyboard. */}
      <pre tabIndex={0} aria-label={t("label", { language: language || t("plain") })} role="group">
        {coloured?.text === text ? <code dangerouslySetInnerHTML={{ __html: coloured.html }} /> : <code>{text}</code>}
      </pre>
    </figure>
  );
});
