import { Invitation } from "@/components/sign-in/invitation";
import { Page, titled, type PageProps } from "@/components/shell/page";

export const generateMetadata = titled("invitation");

export default function InvitationPage(props: PageProps) {
  return (
    <Page {...props} namespaces={[]}>
      <Invitation />
    </Page>
  );
}
