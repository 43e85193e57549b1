import { SignedIn } from "@/components/sign-in/signed-in";
import { Page, titled, type PageProps } from "@/components/shell/page";

export const generateMetadata = titled("signedIn");

export default function SignedInPage(props: PageProps) {
  return (
    <Page {...props} namespaces={[]}>
      <SignedIn />
    </Page>
  );
}
