import { NextIntlClientProvider } from "next-intl";
import type { ReactNode } from "react";

import { loadMessages, type Namespace } from "@/i18n/messages";
import type { Locale } from "@/i18n/routing";

interface Props {
  locale: Locale;
  /** Parts of the words beside the common ones. */
  namespaces?: readonly Namespace[];
  children: ReactNode;
}

/** Gives a page the words that it uses, no others: all that is given here is inlined into the page. */
export async function PageMessages({ locale, namespaces = [], children }: Props) {
  const messages = await loadMessages(locale, ["common", ...namespaces]);
  return (
    <NextIntlClientProvider locale={locale} messages={messages}>
      {children}
    </NextIntlClientProvider>
  );
}
