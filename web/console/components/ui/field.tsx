"use client";

import { ChevronDown } from "lucide-react";
import { createContext, use, useId, type ComponentProps, type ReactNode } from "react";

import { cn } from "@/lib/cn";

import { useLock } from "./lock";

const CONTROL =
  "w-full rounded-lg border border-line-strong bg-surface px-3 text-ink shadow-low transition-colors placeholder:text-ink-faint hover:border-ink-faint focus-visible:border-accent focus-visible:outline-offset-0 disabled:cursor-not-allowed disabled:bg-sunken disabled:text-ink-soft aria-invalid:border-bad";

interface FieldIds {
  id: string;
  describedBy: string | undefined;
  invalid: boolean;
}

const Ids = createContext<FieldIds | null>(null);

interface FieldProps {
  label: ReactNode;
  hint?: ReactNode;
  /** What is wrong with it, said by the form or the API. */
  error?: string | null | undefined;
  /** Beside the label, at the end of its line. */
  aside?: ReactNode;
  className?: string;
  children: ReactNode;
}

/** A labelled control with its hint and its error, tied together for screen readers. */
export function Field({ label, hint, error, aside, className, children }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div className={cn("flex min-w-0 flex-col gap-1.5", className)}>
      <div className="flex min-h-5 items-baseline justify-between gap-3">
        <label htmlFor={id} className="text-[13px] font-medium text-ink">
          {label}
        </label>
        {aside}
      </div>
      <Ids value={{ id, describedBy: described || undefined, invalid: Boolean(error) }}>{children}</Ids>
      {hint ? (
        <p id={`${id}-hint`} className="text-[13px] text-ink-faint">
          {hint}
        </p>
      ) : null}
      {error ? (
        <p id={`${id}-error`} role="alert" className="text-[13px] text-bad">
          {error}
        </p>
      ) : null}
    </div>
  );
}

/** What a control inside a Field says of itself; for controls that are not made here. */
export function useFieldIds() {
  const ids = use(Ids);
  if (!ids) return {};
  return { id: ids.id, "aria-describedby": ids.describedBy, "aria-invalid": ids.invalid || undefined };
}

export function Input({ className, disabled, ...rest }: ComponentProps<"input">) {
  return <input {...useFieldIds()} className={cn(CONTROL, "h-9", className)} autoComplete="off" disabled={useLock() || disabled} {...rest} />;
}

export function Textarea({ className, readOnly, ...rest }: ComponentProps<"textarea">) {
  // Long texts are to be scrolled and copied all the same.
  return <textarea {...useFieldIds()} className={cn(CONTROL, "min-h-20 resize-y py-2 leading-relaxed read-only:bg-sunken", className)} readOnly={useLock() || readOnly} {...rest} />;
}

/** The platform's own select: quick, accessible and right on phones. */
export function Select({ className, disabled, children, ...rest }: ComponentProps<"select">) {
  return (
    <span className={cn("relative block", className)}>
      <select {...useFieldIds()} className={cn(CONTROL, "h-9 appearance-none truncate pr-9")} disabled={useLock() || disabled} {...rest}>
        {children}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute top-1/2 right-3 size-4 -translate-y-1/2 text-ink-faint" />
    </span>
  );
}

interface CheckProps extends Omit<ComponentProps<"input">, "type"> {
  label: ReactNode;
  hint?: ReactNode;
}

/** A checkbox with its words. */
export function Check({ label, hint, className, disabled, ...rest }: CheckProps) {
  const id = useId();
  return (
    <div className={cn("flex items-start gap-2.5", className)}>
      <input id={id} type="checkbox" aria-describedby={hint ? `${id}-hint` : undefined} className="mt-0.5 size-4 shrink-0 accent-accent" disabled={useLock() || disabled} {...rest} />
      <span className="min-w-0">
        <label htmlFor={id} className="block text-sm text-ink">
          {label}
        </label>
        {hint ? (
          <span id={`${id}-hint`} className="block text-[13px] text-ink-faint">
            {hint}
          </span>
        ) : null}
      </span>
    </div>
  );
}
