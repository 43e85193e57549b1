import { NewAgent } from "@/components/agents/new-agent";
import { Page, titled, type PageProps } from "@/components/shell/page";

export const generateMetadata = titled("newAgent");

export default function NewAgentPage(props: PageProps) {
  return (
    <Page {...props} namespaces={["agents"]}>
      <NewAgent />
    </Page>
  );
}
