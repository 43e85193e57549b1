import type { NextConfig } from "next";
import createNextIntlPlugin from "next-intl/plugin";

const gateway = process.env.GATEWAY ?? "http://127.0.0.1:8787";
const dev = process.env.NODE_ENV === "development";

// The console is static files. Only `npm run dev` has a server, which passes the API and the WebSocket on to the gateway.
const config: NextConfig = {
  ...(!dev && { output: "export" }),
  ...(dev && {
    skipTrailingSlashRedirect: true,
    rewrites: async () => [
      { source: "/api/:path*", destination: `${gateway}/api/:path*` },
      { source: "/config.json", destination: `${gateway}/config.json` },
    ],
  }),
  trailingSlash: true,
  images: { unoptimized: true },
  reactStrictMode: true,
  poweredByHeader: false,
  // The tests check types (tsc); a build for use has no packages for development, which tests import.
  typescript: { ignoreBuildErrors: true },
  turbopack: { root: import.meta.dirname },
  ...{ agentRules: false },
};

export default createNextIntlPlugin("./i18n/request.ts")(config);
