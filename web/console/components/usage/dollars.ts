// Dollars as people write them, and nano-dollars as they are kept. No step goes through binary fractions.

const NANO_DIGITS = 9;
/** A million dollars: no budget is larger. */
export const MOST_NANOUSD = 10 ** 15;
export const MOST_TOKENS = 10 ** 12;

/**
 * Nano-dollars of a text, null where it is empty, undefined where it is no amount. `sign` is the language's decimal sign; the
 * other one parts thousands where it stands as one does, and is a decimal sign elsewhere.
 */
export function nanoOf(text: string, sign: "." | "," = "."): number | null | undefined {
  const bare = text.trim().replace(/^\$\s*|\s*\$$/g, "");
  if (bare === "") return null;
  const grouped = sign === "." ? /^[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/ : /^[1-9]\d{0,2}(\.\d{3})+(,\d*)?$/;
  const plain = (grouped.test(bare) ? bare.replaceAll(sign === "." ? "," : ".", "") : bare).replace(",", ".");
  const match = /^(\d{0,7})(?:\.(\d{0,9}))?$/.exec(plain);
  if (!match || !/\d/.test(plain)) return undefined;
  const [, whole = "", part = ""] = match;
  const nano = Number(`${whole || "0"}${part.padEnd(NANO_DIGITS, "0")}`);
  return nano <= MOST_NANOUSD ? nano : undefined;
}

/** The sign before the decimals in a language. */
export function decimalSign(locale: string): "." | "," {
  return new Intl.NumberFormat(locale).format(0.5).includes(",") ? "," : ".";
}

/** The shortest decimal text of an amount, as it is typed in a language with this decimal sign. */
export function dollarsOf(nano: number | null | undefined, sign: "." | "," = "."): string {
  if (nano === null || nano === undefined) return "";
  const digits = String(nano).padStart(NANO_DIGITS + 1, "0");
  const part = digits.slice(-NANO_DIGITS).replace(/0+$/, "");
  return digits.slice(0, -NANO_DIGITS) + (part ? sign + part.padEnd(2, "0") : "");
}

/** A number of tokens: null where nothing is written, undefined where it is no such number. */
export function tokensOf(text: string): number | null | undefined {
  const plain = text.replace(/[\s.,'_]/g, "");
  if (plain === "") return text.trim() === "" ? null : undefined;
  const count = /^\d{1,13}$/.test(plain) ? Number(plain) : Number.NaN;
  return count <= MOST_TOKENS ? count : undefined;
}
