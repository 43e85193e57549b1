import { NotFound } from "@/components/shell/not-found";
import { Page, titled, type PageProps } from "@/components/shell/page";

export const generateMetadata = titled("notFound");

export default function NotFoundPage(props: PageProps) {
  return (
    <Page {...props} namespaces={[]}>
      <NotFound />
    </Page>
  );
}
