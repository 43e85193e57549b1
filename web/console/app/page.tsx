import { redirect } from "next/navigation";

/** Servers answer `/` with a redirect by language; this is for those that do not. */
export default function Root() {
  redirect("/en/agents/");
}
