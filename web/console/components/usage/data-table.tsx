import type { ReactNode } from "react";

import { Card } from "@/components/ui/surface";
import { cn } from "@/lib/cn";

export interface Column<T> {
  readonly name: string;
  readonly cell: (row: T) => ReactNode;
  readonly text?: boolean;
  /** From which width on it is shown. */
  readonly from?: "sm" | "md" | "lg";
}

const FROM = { sm: "hidden sm:table-cell", md: "hidden md:table-cell", lg: "hidden lg:table-cell" };

/** A plain table: the first column names the row, numbers stand at the right. */
export function DataTable<T>({ caption, columns, rows, rowKey }: { caption: string; columns: readonly Column<T>[]; rows: readonly T[]; rowKey: (row: T) => string }) {
  return (
    <Card className="overflow-hidden">
      <table className="w-full text-sm">
        <caption className="sr-only">{caption}</caption>
        <thead className="border-b border-line bg-sunken text-xs text-ink-soft">
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" className={cn("px-4 py-2 font-medium whitespace-nowrap", column.text ? "text-left" : "text-right", column.from && FROM[column.from])}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column, index) => {
                const Cell = index === 0 ? "th" : "td";
                return (
                  <Cell
                    key={column.name}
                    {...(index === 0 ? { scope: "row" } : {})}
                    className={cn(
                      "px-4 py-2.5 font-normal tabular-nums",
                      column.text ? "max-w-0 min-w-32 text-left break-words" : "text-right whitespace-nowrap",
                      index === 0 ? "w-full text-ink" : "text-ink-soft",
                      column.from && FROM[column.from],
                    )}
                  >
                    {column.cell(row)}
                  </Cell>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
