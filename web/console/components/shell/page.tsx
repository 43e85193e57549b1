import { getTranslations, setRequestLocale } from "next-intl/server";
import type { Metadata } from "next";
import { Suspense, type ReactNode } from "react";

import { PageMessages } from "@/components/shell/page-messages";
import type { Namespace } from "@/i18n/messages";
import type { Locale } from "@/i18n/routing";

export interface PageProps {
  params: Promise<{ locale: string }>;
}

type Title = "agents" | "newAgent" | "agent" | "credentials" | "usage" | "settings" | "signIn" | "signedIn" | "invitation" | "notFound";

/** Metadata of a page from its title. */
export function titled(title: Title) {
  return async function generateMetadata({ params }: PageProps): Promise<Metadata> {
    const { locale } = await params;
    const t = await getTranslations({ locale: locale as Locale, namespace: "common.titles" });
    return { title: t(title) };
  };
}

/** A page of static export: words, and a boundary for what reads the address's query. */
export async function Page({ params, namespaces, children }: PageProps & { namespaces: readonly Namespace[]; children: ReactNode }) {
  const { locale } = await params;
  setRequestLocale(locale as Locale);
  return (
    <PageMessages locale={locale as Locale} namespaces={namespaces}>
      <Suspense fallback={null}>{children}</Suspense>
    </PageMessages>
  );
}
