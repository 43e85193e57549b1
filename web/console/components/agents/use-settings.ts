"use client";

import { useTranslations } from "next-intl";
import { useEffect, useRef, useState } from "react";

import { useErrorText } from "@/components/ui/error-state";
import { api, revised } from "@/lib/api";
import { asApiError } from "@/lib/errors";
import { toast } from "@/lib/toast";

import { differences } from "./conflict";
import { draftOf, read, rebased, type Draft, type Problems } from "./draft";
import { forgetDraft, keepDraft, keptDraft, type Base } from "./kept-draft";
import { useKeepAgent } from "./use-agents";
import { changedFields, fieldOf, patchOf, valuesOf, type AgentOut, type Field, type Values } from "./values";

export type FieldErrors = Partial<Record<Field, string>>;

/** The form of an agent's settings: what is typed, what it is compared with, saving, and what others saved meanwhile. */
export function useSettings(agent: AgentOut, etag: string | null) {
  const t = useTranslations("agents");
  const text = useErrorText();
  const keep = useKeepAgent();
  const [first] = useState(() => keptDraft(agent.id));
  const [base, setBase] = useState<Base>(first?.base ?? { values: valuesOf(agent), etag, version: agent.version });
  const [draft, setDraft] = useState<Draft>(first?.draft ?? draftOf(base.values));
  const [restored, setRestored] = useState(first !== null);
  const [saving, setSaving] = useState(false);
  const [told, setTold] = useState<FieldErrors>({});
  const [tried, setTried] = useState(false);
  /** What somebody else saved, which cannot be joined with what is typed here. */
  const [theirs, setTheirs] = useState<Base | null>(null);
  const [comparing, setComparing] = useState(false);
  const latest = useRef(draft);

  const { values, problems } = read(draft);
  const changed = changedFields(base.values, values);
  const fields = new Set<Field>([...changed, ...(Object.keys(problems) as Field[])]);
  const dirty = fields.size > 0;

  const adopt = (next: Base, sent: Draft = draftOf(base.values)) => {
    setBase(next);
    setDraft((now) => rebased(now, sent, draftOf(next.values)));
    setTheirs(null);
  };

  // The agent was read anew. What does not touch what is typed here is taken over at once.
  const [seen, setSeen] = useState(etag);
  if (seen !== etag && !saving) {
    setSeen(etag);
    const next: Base = { values: valuesOf(agent), etag, version: agent.version };
    if (etag === base.etag) setTheirs(null);
    else if (differences(base.values, values, next.values).some((one) => one.both)) setTheirs(next);
    else adopt(next);
  }

  useEffect(() => {
    latest.current = draft;
    if (dirty) keepDraft(agent.id, { base, draft });
    else forgetDraft(agent.id);
  }, [agent.id, base, dirty, draft]);

  const write = async (from: Base, to: Values, sent: Draft): Promise<boolean> => {
    setSaving(true);
    setTold({});
    try {
      const { body, etag: revision } = await revised(
        api.PATCH("/api/v1/agents/{agent_id}", {
          params: { path: { agent_id: agent.id }, header: from.etag ? { "if-match": from.etag } : {} },
          body: patchOf(from.values, to),
        }),
      );
      await keep(body, revision);
      setSeen(revision);
      setComparing(false);
      setRestored(false);
      adopt({ values: valuesOf(body), etag: revision, version: body.version }, sent);
      setSaving(false);
      toast.success(body.version === from.version ? t("bar.saved") : t("bar.savedVersion", { number: body.version }));
      return true;
    } catch (error) {
      const problem = asApiError(error);
      if (problem.status === 412) await meet();
      else {
        setTold(errorsOf(problem.fields));
        toast.error(t("bar.failed"), { description: text(error) });
      }
      setSaving(false);
      return false;
    }
  };

  const meet = async () => {
    try {
      const { body, etag: revision } = await revised(api.GET("/api/v1/agents/{agent_id}", { params: { path: { agent_id: agent.id } } }));
      setTheirs({ values: valuesOf(body), etag: revision, version: body.version });
      setComparing(true);
    } catch (error) {
      toast.error(t("bar.failed"), { description: text(error) });
    }
  };

  const save = async (): Promise<boolean> => {
    if (saving) return false;
    setTried(true);
    if (Object.keys(problems).length) return false;
    if (theirs) {
      setComparing(true);
      return false;
    }
    return changed.length ? write(base, values, draft) : true;
  };

  return {
    draft,
    base,
    fields,
    dirty,
    saving,
    restored: restored && dirty,
    errors: errorWords(problems, told, tried, (problem) => t(`settings.problems.${problem}`)),
    problems,
    set: (change: Partial<Draft>) => {
      setDraft((before) => ({ ...before, ...change }));
      setTold((before) => Object.fromEntries(Object.entries(before).filter(([field]) => !(field in change))));
    },
    save,
    discard: () => {
      const next = theirs ?? base;
      setBase(next);
      setDraft(draftOf(next.values));
      setTheirs(null);
      setTold({});
      setTried(false);
      forgetDraft(agent.id);
    },
    conflict: theirs && { base: base.values, mine: values, theirs: theirs.values, open: comparing, compare: () => setComparing(true), later: () => setComparing(false), settle: (to: Values) => write(theirs, to, latest.current) },
  };
}

function errorsOf(fields: readonly { field: string; message: string }[]): FieldErrors {
  return Object.fromEntries(fields.flatMap(({ field, message }) => {
    const name = fieldOf(field);
    return name ? [[name, message]] : [];
  }));
}

/** What is empty is only complained about once it was to be saved. */
function errorWords(problems: Problems, told: FieldErrors, tried: boolean, words: (problem: NonNullable<Problems[Field]>) => string): FieldErrors {
  const shown = Object.entries(problems).filter(([, problem]) => tried || !problem.endsWith("Missing"));
  return { ...told, ...Object.fromEntries(shown.map(([field, problem]) => [field, words(problem)])) };
}
