"use client";

import { useTranslations } from "next-intl";
import { memo, useEffect, useState } from "react";

import { CopyButton } from "@/components/ui/copy-button";

import { chunksOf } from "./model/chunks";

const TOO_LONG = 60_000;

/** Code with its language and a way to copy it. Colours come once it is whole. */
export const CodeBlock = memo(function CodeBlock({ text, language, live = false }: { text: string; language: string; live?: boolean }) {
  const t = useTranslations("playground.code");
  const [coloured, setColoured] = useState<{ text: string; html: string } | null>(null);
  useEffect(() => {
    if (live || !language || text.length > TOO_LONG) return;
    let here = true;
    void import("./highlight")
      .then(({ highlighted }) => highlighted(text, language.toLowerCase()))
      .then((html) => here && html !== null && setColoured({ text, html }));
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
        {coloured?.text === text ? <code dangerouslySetInnerHTML={{ __html: coloured.html }} /> : <code>{chunksOf(text).map((chunk, index) => <Chunk key={index} text={chunk} />)}</code>}
      </pre>
    </figure>
  );
});

/** Lines that stay as they are while code grows below them: neither made nor laid out anew. */
const Chunk = memo(function Chunk({ text }: { text: string }) {
  return <span className="block">{text}</span>;
});
