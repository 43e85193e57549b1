"use client";

import { useTranslations } from "next-intl";

import { canBeTool, type TagGroup } from "../lib/operations";
import { OperationRow } from "./operation-row";

interface Props {
  group: TagGroup;
  chosen: ReadonlySet<string>;
  onSet: (keys: readonly string[], on: boolean) => void;
}

/** The operations of one tag, to be chosen together. */
export function OperationGroup({ group, chosen, onSet }: Props) {
  const t = useTranslations("tools.import");
  const keys = group.operations.filter(canBeTool).map(({ key }) => key);
  const count = keys.filter((key) => chosen.has(key)).length;
  const name = group.tag || t("noTag");
  return (
    <section aria-label={name}>
      <header className="sticky top-14 z-[5] flex items-center gap-3 border-b border-line bg-sunken px-4 py-1.5">
        <input
          type="checkbox"
          aria-label={t("chooseTag", { tag: name })}
          disabled={!keys.length}
          checked={count > 0 && count === keys.length}
          ref={(box) => {
            if (box) box.indeterminate = count > 0 && count < keys.length;
          }}
          onChange={(event) => onSet(keys, event.target.checked)}
          className="size-4 accent-accent"
        />
        <h4 className="min-w-0 flex-1 truncate text-[13px] font-medium">{name}</h4>
        <span className="text-xs text-ink-soft tabular-nums">{`${count}/${group.operations.length}`}</span>
      </header>
      <ul className="divide-y divide-line border-b border-line">
        {group.operations.map((operation) => (
          <OperationRow key={operation.key} operation={operation} chosen={chosen.has(operation.key)} onSet={onSet} />
        ))}
      </ul>
    </section>
  );
}
