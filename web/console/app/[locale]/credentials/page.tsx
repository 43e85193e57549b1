import { Credentials } from "@/components/credentials/credentials";
import { Page, titled, type PageProps } from "@/components/shell/page";

export const generateMetadata = titled("credentials");

export default function CredentialsPage(props: PageProps) {
  return (
    <Page {...props} namespaces={["tools"]}>
      <Credentials />
    </Page>
  );
}
