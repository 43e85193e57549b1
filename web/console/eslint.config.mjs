import next from "eslint-config-next";
import typescript from "eslint-config-next/typescript";

const config = [
  { ignores: [".next/", "out/", ".client/", "generated/", "next-env.d.ts"] },
  ...next,
  ...typescript,
  {
    rules: {
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-restricted-syntax": [
        "error",
        {
          selector: "JSXAttribute[name.name='prefetch']",
          message: "In a static export a link that prefetches by hand is dead.",
        },
      ],
      "no-restricted-imports": [
        "error",
        {
          paths: [
            { name: "next/link", message: "Use Link of @/i18n/navigation, which keeps the language." },
            { name: "sonner", message: "Use toast of @/lib/toast, which loads it when needed.", allowTypeImports: true },
          ],
        },
      ],
    },
  },
  { files: ["components/ui/toaster.tsx"], rules: { "no-restricted-imports": "off" } },
];

export default config;
