"use client";

import { useEffect, useState } from "react";

import { useFormats } from "@/lib/format";

/** "yesterday"; `day` is one in UTC, as in usage. */
export function Day({ day }: { day: string }) {
  const formats = useFormats();
  return (
    <time dateTime={day} title={`${day} (UTC)`} suppressHydrationWarning>
      {formats.daysAgo(day)}
    </time>
  );
}

/** "3 minutes ago", kept up to date; the exact time as tooltip. */
export function Ago({ time }: { time: string }) {
  const formats = useFormats();
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <time dateTime={time} title={formats.exact(time)} suppressHydrationWarning>
      {formats.ago(time, now)}
    </time>
  );
}
