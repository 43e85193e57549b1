"use client";

import { LoaderCircle } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";

import { Link } from "@/i18n/navigation";
import { cn } from "@/lib/cn";

import { useLock } from "./lock";

export type ButtonKind = "primary" | "secondary" | "ghost" | "danger";

const BASE =
  "inline-flex shrink-0 select-none items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap transition-colors duration-100 disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:opacity-50 [&_svg]:size-4 [&_svg]:shrink-0";
const KINDS: Record<ButtonKind, string> = {
  primary: "bg-accent text-on-accent shadow-low hover:bg-accent-hover",
  secondary: "border border-line-strong bg-surface text-ink shadow-low hover:bg-hover",
  ghost: "text-ink-soft hover:bg-hover hover:text-ink",
  danger: "border border-line-strong bg-surface text-bad shadow-low hover:border-bad hover:bg-bad-soft",
};
const SIZES = { md: "h-9 px-3.5 text-sm", sm: "h-8 px-2.5 text-[13px]" };

export function buttonClass(kind: ButtonKind = "secondary", size: keyof typeof SIZES = "md", className?: string): string {
  return cn(BASE, KINDS[kind], SIZES[size], className);
}

interface Props extends ComponentProps<"button"> {
  kind?: ButtonKind;
  size?: keyof typeof SIZES;
  /** Work is under way: shows a spinner and takes no clicks, but keeps the focus. */
  busy?: boolean;
  icon?: ReactNode;
}

export function Button({ kind, size, busy = false, icon, className, children, type = "button", disabled, onClick, ...rest }: Props) {
  return (
    <button
      type={type}
      className={buttonClass(kind, size, className)}
      disabled={useLock() || disabled}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {busy ? <LoaderCircle className="animate-spin" aria-hidden /> : icon}
      {children}
    </button>
  );
}

/** A link that looks like a button. */
export function ButtonLink({
  kind,
  size,
  icon,
  className,
  children,
  ...rest
}: ComponentProps<typeof Link> & { kind?: ButtonKind; size?: keyof typeof SIZES; icon?: ReactNode }) {
  return (
    <Link className={buttonClass(kind, size, className)} {...rest}>
      {icon}
      {children}
    </Link>
  );
}

/** A button of an icon alone; `label` is its name and its tooltip. */
export function IconButton({ label, className, children, type = "button", disabled, ...rest }: ComponentProps<"button"> & { label: string }) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      disabled={useLock() || disabled}
      className={cn(
        "inline-flex size-8 shrink-0 items-center justify-center rounded-md text-ink-soft transition-colors hover:bg-hover hover:text-ink disabled:cursor-not-allowed disabled:opacity-40 pointer-coarse:size-10 [&_svg]:size-4",
        className,
      )}
      {...rest}
    >
      {children}
    </button>
  );
}
