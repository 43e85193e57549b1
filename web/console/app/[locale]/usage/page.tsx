import { UsageReport } from "@/components/usage/usage-report";
import { Page, titled, type PageProps } from "@/components/shell/page";

export const generateMetadata = titled("usage");

export default function UsageReportPage(props: PageProps) {
  return (
    <Page {...props} namespaces={["traces"]}>
      <UsageReport />
    </Page>
  );
}
