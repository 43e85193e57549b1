import { AgentDetail } from "@/components/agents/agent-detail";
import { Page, titled, type PageProps } from "@/components/shell/page";

export const generateMetadata = titled("agent");

export default function AgentDetailPage(props: PageProps) {
  return (
    <Page {...props} namespaces={["agents", "playground", "tools", "traces"]}>
      <AgentDetail />
    </Page>
  );
}
