"use client";

import { X } from "lucide-react";
import { useTranslations } from "next-intl";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";

import { cn } from "@/lib/cn";

import { Button, IconButton, type ButtonKind } from "./button";

const SIZES = { sm: "sm:max-w-md", md: "sm:max-w-xl", lg: "sm:max-w-3xl", xl: "sm:max-w-5xl" };

interface Props {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  description?: ReactNode;
  size?: keyof typeof SIZES;
  /** False where only its own buttons close it. */
  closable?: boolean;
  /** Buttons at the end. */
  footer?: ReactNode;
  children?: ReactNode;
}

/** A dialog; on phones a sheet from below. The focus goes in and comes back. */
export function Dialog({ open, onOpenChange, title, description, size = "sm", closable = true, footer, children }: Props) {
  const t = useTranslations("common.actions");
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade bg-black/40 backdrop-blur-[1px]" />
        <Radix.Content
          {...(description ? {} : { "aria-describedby": undefined })}
          className={cn(
            "fixed inset-x-0 bottom-0 z-50 flex max-h-[92dvh] animate-rise flex-col rounded-t-2xl border border-line bg-surface shadow-high outline-none sm:inset-x-4 sm:top-1/2 sm:bottom-auto sm:mx-auto sm:max-h-[86dvh] sm:-translate-y-1/2 sm:rounded-2xl",
            SIZES[size],
          )}
        >
          <header className="flex items-start justify-between gap-4 px-6 pt-5 pb-3">
            <div className="min-w-0">
              <Radix.Title className="text-base font-semibold text-ink">{title}</Radix.Title>
              {description ? <Radix.Description className="mt-1 text-sm text-ink-soft">{description}</Radix.Description> : null}
            </div>
            {closable ? (
              <Radix.Close asChild>
                <IconButton label={t("close")} className="-mr-2">
                  <X aria-hidden />
                </IconButton>
              </Radix.Close>
            ) : null}
          </header>
          {children ? <div className="min-h-0 flex-1 overflow-y-auto px-6 py-2">{children}</div> : null}
          {footer ? <footer className="flex flex-wrap justify-end gap-2 px-6 pt-3 pb-5">{footer}</footer> : <div className="h-3" />}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface ConfirmProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: ReactNode;
  children?: ReactNode;
  action: ReactNode;
  kind?: ButtonKind;
  busy?: boolean;
  onConfirm: () => void;
}

/** Asks before something that cannot be taken back. */
export function Confirm({ open, onOpenChange, title, children, action, kind = "danger", busy = false, onConfirm }: ConfirmProps) {
  const t = useTranslations("common.actions");
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={title}
      description={children}
      footer={
        <>
          <Button onClick={() => onOpenChange(false)}>{t("cancel")}</Button>
          <Button kind={kind} busy={busy} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    />
  );
}
