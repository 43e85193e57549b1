import { redirect } from "@/i18n/navigation";
import type { PageProps } from "@/components/shell/page";
import type { Locale } from "@/i18n/routing";

export default async function Home({ params }: PageProps) {
  const { locale } = await params;
  redirect({ href: "/agents/", locale: locale as Locale });
}
