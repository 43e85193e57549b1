import { Settings } from "@/components/settings/settings";
import { Page, titled, type PageProps } from "@/components/shell/page";

export const generateMetadata = titled("settings");

export default function SettingsPage(props: PageProps) {
  return (
    <Page {...props} namespaces={["settings"]}>
      <Settings />
    </Page>
  );
}
