"use client";

import { Search, X } from "lucide-react";
import { useTranslations } from "next-intl";

import { IconButton } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import { cn } from "@/lib/cn";

import { STATUSES, type Status } from "./values";

interface Props {
  search: string;
  status: Status | null;
  onSearch: (search: string) => void;
  onStatus: (status: Status | null) => void;
}

/** Words to look for, and the status as a row of choices. */
export function ListFilters({ search, status, onSearch, onStatus }: Props) {
  const t = useTranslations("agents");
  return (
    <div className="flex flex-wrap items-center gap-3">
      <div className="relative min-w-0 flex-1 basis-64">
        <Search aria-hidden className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-faint" />
        <Input
          type="search"
          aria-label={t("list.search")}
          placeholder={t("list.search")}
          value={search}
          onChange={(event) => onSearch(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && onSearch("")}
          className="pr-9 pl-9 [&::-webkit-search-cancel-button]:hidden"
        />
        {search ? (
          <IconButton label={t("list.clear")} onClick={() => onSearch("")} className="absolute top-1/2 right-1 size-7 -translate-y-1/2 pointer-coarse:size-8">
            <X aria-hidden />
          </IconButton>
        ) : null}
      </div>
      <div role="group" aria-label={t("list.filter")} className="flex max-w-full gap-0.5 overflow-x-auto rounded-lg border border-line bg-sunken p-0.5">
        {([null, ...STATUSES] as const).map((one) => (
          <button
            key={one ?? "all"}
            type="button"
            aria-pressed={one === status}
            onClick={() => onStatus(one)}
            className={cn(
              "h-7.5 rounded-md px-3 text-[13px] whitespace-nowrap transition-colors pointer-coarse:h-9",
              one === status ? "bg-surface font-medium text-ink shadow-low" : "text-ink-soft hover:text-ink",
            )}
          >
            {one ? t(`status.${one}`) : t("list.all")}
          </button>
        ))}
      </div>
    </div>
  );
}
