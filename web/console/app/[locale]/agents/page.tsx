import { AgentList } from "@/components/agents/agent-list";
import { Page, titled, type PageProps } from "@/components/shell/page";

export const generateMetadata = titled("agents");

export default function AgentListPage(props: PageProps) {
  return (
    <Page {...props} namespaces={["agents"]}>
      <AgentList />
    </Page>
  );
}
