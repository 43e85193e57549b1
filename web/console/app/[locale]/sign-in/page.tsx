import { SignIn } from "@/components/sign-in/sign-in";
import { Page, titled, type PageProps } from "@/components/shell/page";

export const generateMetadata = titled("signIn");

export default function SignInPage(props: PageProps) {
  return (
    <Page {...props} namespaces={[]}>
      <SignIn />
    </Page>
  );
}
