"use client";

import { Card } from "@/components/ui/surface";

import type { Tool } from "./lib/kinds";
import type { Toolbox } from "./lib/toolbox";
import type { Go } from "./lib/view";
import { ToolRow } from "./tool-row";

/** Tools, one a row. */
export function ToolRows({ label, tools, toolbox, go, flat = false }: { label: string; tools: readonly Tool[]; toolbox: Toolbox; go: Go; flat?: boolean }) {
  const rows = (
    <ul aria-label={label} className="divide-y divide-line">
      {tools.map((tool) => (
        <ToolRow key={tool.id} tool={tool} toolbox={toolbox} go={go} />
      ))}
    </ul>
  );
  return flat ? rows : <Card>{rows}</Card>;
}
