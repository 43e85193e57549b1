"use client";

import { ArrowLeft } from "lucide-react";
import { useTranslations } from "next-intl";
import { useRef, useState, type FormEvent } from "react";

import { PageBody, PageHeader } from "@/components/shell/page-header";
import { Button, ButtonLink } from "@/components/ui/button";
import { useErrorText } from "@/components/ui/error-state";
import { Field, Input } from "@/components/ui/field";
import { Locked } from "@/components/ui/locked";
import { Card, Section } from "@/components/ui/surface";
import { Link, useRouter } from "@/i18n/navigation";
import { api, once, revised, type Schemas } from "@/lib/api";
import { asApiError } from "@/lib/errors";
import { useMay } from "@/lib/me";
import { toast } from "@/lib/toast";

import { agentHref } from "./agent-menu";
import { ModelPicker } from "./model-picker";
import { TemplateCards } from "./template-cards";
import { TEMPLATES, type TemplateId } from "./templates";
import { useKeepAgent } from "./use-agents";
import { findModel, firstModel, useModels } from "./use-models";
import { BUILTIN_TOOLS, fieldOf, type Field as FieldName, type ModelRef } from "./values";

type Errors = Partial<Record<FieldName, string>>;

/** A new agent from a template; it goes to its playground at once. */
export function NewAgent() {
  const t = useTranslations("agents.new");
  const words = useTranslations("agents");
  const common = useTranslations("common");
  const text = useErrorText();
  const router = useRouter();
  const keep = useKeepAgent();
  const may = useMay("edit");
  const { providers } = useModels();
  const [template, setTemplate] = useState<TemplateId>("blank");
  const [typedName, setName] = useState<string | null>(null);
  const [picked, setModel] = useState<ModelRef | null>(null);
  const [baseUrl, setBaseUrl] = useState("");
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const attempt = useRef<{ body: string; headers: ReturnType<typeof once> } | null>(null);

  const model = picked ?? firstModel(providers);
  const name = typedName ?? (template === "blank" ? "" : words(`templates.${template}.name`));
  const compatible = model?.provider === "openai_compatible";
  const prompt = template === "blank" ? "" : words(`templates.${template}.prompt`);

  const body = (ref: ModelRef): Schemas["AgentCreate"] => {
    const kind = TEMPLATES.find((one) => one.id === template);
    const warm = kind?.temperature ?? null;
    const takesIt = findModel(providers, ref)?.capabilities.temperature ?? false;
    return {
      name: name.trim(),
      description: template === "blank" ? "" : words(`templates.${template}.description`),
      system_prompt: prompt,
      model_config: { ...ref, ...(compatible ? { base_url: baseUrl.trim() } : {}), ...(warm !== null && takesIt ? { temperature: warm } : {}) },
      builtin_tools: [...(kind?.builtin_tools ?? BUILTIN_TOOLS)],
    };
  };

  const create = async (event: FormEvent) => {
    event.preventDefault();
    const problems: Errors = {};
    if (!name.trim()) problems.name = words("settings.problems.nameMissing");
    if (!model) problems.model = words("settings.problems.modelMissing");
    if (compatible && !baseUrl.trim()) problems.base_url = words("settings.problems.baseUrlMissing");
    setErrors(problems);
    if (Object.keys(problems).length || !model) {
      document.getElementById("new-agent")?.querySelector<HTMLElement>(problems.name ? "[name=name]" : "[name=base_url]")?.focus();
      return;
    }
    const wanted = body(model);
    const key = JSON.stringify(wanted);
    if (attempt.current?.body !== key) attempt.current = { body: key, headers: once() };
    setBusy(true);
    try {
      const { body: agent, etag } = await revised(api.POST("/api/v1/agents", { params: { header: attempt.current.headers }, body: wanted }));
      await keep(agent, etag);
      router.push(agentHref(agent.id));
    } catch (error) {
      const found = asApiError(error).fields.flatMap(({ field, message }) => {
        const name = fieldOf(field);
        return name ? [[name, message] as const] : [];
      });
      setErrors(Object.fromEntries(found));
      if (!found.length) toast.error(t("failed"), { description: text(error) });
      setBusy(false);
    }
  };

  return (
    <>
      <PageHeader
        title={common("titles.newAgent")}
        hint={t("hint")}
        back={
          <Link href="/agents/" className="inline-flex items-center gap-1 rounded hover:text-ink">
            <ArrowLeft aria-hidden className="size-3.5" />
            {words("detail.back")}
          </Link>
        }
      />
      <PageBody>
        {may ? <form id="new-agent" noValidate onSubmit={(event) => void create(event)} className="flex flex-col gap-8">
          <TemplateCards value={template} onChange={setTemplate} />
          <Section title={t("details")}>
            <div className="grid items-start gap-x-8 gap-y-5 lg:grid-cols-2">
              <div className="flex flex-col gap-5">
                <Field label={t("name")} hint={t("nameHint")} error={errors.name}>
                  <Input name="name" value={name} maxLength={100} onChange={(event) => setName(event.target.value)} />
                </Field>
                <ModelPicker label={t("model")} error={errors.model} value={model} onChange={setModel} />
                {compatible ? (
                  <Field label={t("baseUrl")} hint={t("baseUrlHint")} error={errors.base_url}>
                    <Input name="base_url" type="url" inputMode="url" value={baseUrl} maxLength={500} onChange={(event) => setBaseUrl(event.target.value)} />
                  </Field>
                ) : null}
              </div>
              <Card className="min-w-0">
                <h3 className="border-b border-line px-4 py-2.5 text-[13px] font-medium text-ink-soft">{t("preview")}</h3>
                <div tabIndex={0} role="region" aria-label={t("preview")} className="max-h-72 overflow-y-auto px-4 py-3 text-[13px] leading-relaxed whitespace-pre-wrap text-ink-soft">
                  {prompt || <span className="text-ink-faint">{t("blankPreview")}</span>}
                </div>
              </Card>
            </div>
          </Section>
          <div className="flex flex-wrap justify-end gap-2 border-t border-line pt-5">
            <ButtonLink href="/agents/">{common("actions.cancel")}</ButtonLink>
            <Button kind="primary" type="submit" busy={busy}>
              {t("create")}
            </Button>
          </div>
        </form> : <Locked need="edit" />}
      </PageBody>
    </>
  );
}
