import { defineRouting } from "next-intl/routing";

export const routing = defineRouting({ locales: ["en", "de"], defaultLocale: "en", localePrefix: "always" });

/** Languages by their own names. */
export const LANGUAGES = [["en", "English"], ["de", "Deutsch"]] as const;

export type Locale = (typeof routing.locales)[number];
