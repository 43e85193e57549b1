"use client";

import useSWR from "swr";

import { api, data, type Schemas } from "@/lib/api";

interface Offers {
  readonly list: Schemas["McpOffersOut"];
  /** When the server was asked. */
  readonly asked: number;
}

/** What an MCP server offers. It is asked when the page opens and when a person says so, never by itself. */
export function useOffers(integration: string | null) {
  const { data: offers, error, isValidating, mutate } = useSWR<Offers, unknown>(
    integration ? ["mcp", integration] : null,
    async () => ({
      list: await data(api.POST("/api/v1/integrations/{integration_id}/mcp/list", { params: { path: { integration_id: integration ?? "" } }, body: {} })),
      asked: Date.now(),
    }),
    { revalidateOnFocus: false, revalidateOnReconnect: false, revalidateIfStale: true, shouldRetryOnError: false, keepPreviousData: false },
  );
  return { offers, error: isValidating ? null : error, asking: isValidating, ask: () => mutate() };
}
