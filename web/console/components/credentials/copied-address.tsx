import { CopyButton } from "@/components/ui/copy-button";

/** An address that is to be entered elsewhere. */
export function CopiedAddress({ address }: { address: string | undefined }) {
  return (
    <span className="mt-1 flex min-h-7 items-center gap-1">
      <code className="min-w-0 rounded bg-sunken px-1.5 py-0.5 font-mono text-xs break-all text-ink">{address ?? "…"}</code>
      {address ? <CopyButton text={address} className="size-7 shrink-0" /> : null}
    </span>
  );
}
