"use client";

import { DropdownMenu as Radix } from "radix-ui";
import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

export interface MenuProps {
  /** The button that opens it. */
  trigger: ReactNode;
  align?: "start" | "end";
  side?: "top" | "bottom";
  children: ReactNode;
}

export function MenuInside({ trigger, align = "end", side, children }: MenuProps) {
  return (
    <Radix.Root modal={false} defaultOpen>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          {...(side ? { side } : {})}
          sideOffset={6}
          collisionPadding={8}
          className="z-50 min-w-44 animate-rise rounded-xl border border-line bg-surface p-1.5 shadow-high outline-none"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

const ITEM =
  "flex w-full cursor-pointer select-none items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-sm text-ink outline-none data-disabled:cursor-not-allowed data-disabled:opacity-45 data-highlighted:bg-hover pointer-coarse:py-2.5 [&_svg]:size-4 [&_svg]:text-ink-faint";

export interface ItemProps {
  icon?: ReactNode;
  danger?: boolean;
  disabled?: boolean;
  onSelect: () => void;
  children: ReactNode;
}

export function MenuItem({ icon, danger = false, disabled = false, onSelect, children }: ItemProps) {
  return (
    <Radix.Item disabled={disabled} onSelect={onSelect} className={cn(ITEM, danger && "text-bad! [&_svg]:text-bad!")}>
      {icon}
      {children}
    </Radix.Item>
  );
}

export interface ChoiceProps<T extends string> {
  label: ReactNode;
  value: T;
  choices: readonly (readonly [T, ReactNode])[];
  onChange: (value: T) => void;
}

export function MenuChoice<T extends string>({ label, value, choices, onChange }: ChoiceProps<T>) {
  return (
    <Radix.Group>
      <Radix.Label className="px-2.5 pt-1.5 pb-1 text-xs font-medium text-ink-faint">{label}</Radix.Label>
      <Radix.RadioGroup value={value} onValueChange={(chosen) => onChange(chosen as T)}>
        {choices.map(([name, words]) => (
          <Radix.RadioItem key={name} value={name} className={ITEM}>
            <span aria-hidden className={cn("size-1.5 rounded-full", name === value ? "bg-accent" : "bg-transparent")} />
            {words}
          </Radix.RadioItem>
        ))}
      </Radix.RadioGroup>
    </Radix.Group>
  );
}

export function MenuLine() {
  return <Radix.Separator className="my-1.5 h-px bg-line" />;
}
