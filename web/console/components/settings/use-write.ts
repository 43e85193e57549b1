"use client";

import { useState } from "react";
import { toast } from "@/lib/toast";

import { useErrorText } from "@/components/ui/error-state";

/** Something that is sent: whether it is under way, and what went wrong. What went well is said by a toast. */
export function useWrite() {
  const text = useErrorText();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  /** True where it went well. With `quiet` the error is kept for the form to show, else it is a toast. */
  const write = async (send: () => Promise<unknown>, { done, quiet = false }: { done?: string; quiet?: boolean } = {}): Promise<boolean> => {
    setBusy(true);
    setError(null);
    try {
      await send();
      if (done) toast.success(done);
      return true;
    } catch (failure) {
      if (quiet) setError(failure);
      else toast.error(text(failure));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { write, busy, error, setError };
}
