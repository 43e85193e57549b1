"use client";

import { useTranslations } from "next-intl";
import { useState } from "react";

import { Field, Input, Select, Textarea } from "@/components/ui/field";

import { resolved } from "../lib/examples";
import { isObject, pretty, without, type Json, type JsonObject } from "../lib/json";

interface Props {
  schema: JsonObject;
  values: JsonObject;
  onChange: (values: JsonObject) => void;
}

/** A field for each argument. What is left empty is not sent. */
export function ArgumentsForm({ schema, values, onChange }: Props) {
  const t = useTranslations("tools.test");
  const properties = Object.entries(isObject(schema.properties) ? schema.properties : {});
  const required = Array.isArray(schema.required) ? schema.required : [];
  if (!properties.length) return <p className="text-[13px] text-ink-faint">{t("noArguments")}</p>;
  const set = (name: string, value: Json | undefined) => {
    onChange(value === undefined ? without(values, name) : { ...values, [name]: value });
  };
  return properties.map(([name, property]) => {
    const one = isObject(property) ? resolved(property, schema) : {};
    return (
      <Field
        key={name}
        label={<code className="font-mono">{name}</code>}
        hint={typeof one.description === "string" ? one.description : undefined}
        aside={required.includes(name) ? <span className="text-xs text-ink-faint">{t("required")}</span> : null}
      >
        <Value schema={one} value={values[name]} onChange={(value) => set(name, value)} />
      </Field>
    );
  });
}

function Value({ schema, value, onChange }: { schema: JsonObject; value: Json | undefined; onChange: (value: Json | undefined) => void }) {
  const t = useTranslations("tools.test");
  const type = Array.isArray(schema.type) ? schema.type.find((one) => one !== "null") : schema.type;
  const listed = Array.isArray(schema.enum) ? schema.enum : null;
  if (listed || type === "boolean") {
    const choices = listed ?? [true, false];
    const at = choices.findIndex((one) => JSON.stringify(one) === JSON.stringify(value));
    return (
      <Select value={at < 0 ? "" : String(at)} onChange={(event) => onChange(event.target.value === "" ? undefined : choices[Number(event.target.value)])}>
        <option value="">{t("notSent")}</option>
        {choices.map((one, index) => (
          <option key={index} value={index}>
            {typeof one === "string" ? one : JSON.stringify(one)}
          </option>
        ))}
      </Select>
    );
  }
  if (type === "integer" || type === "number") {
    return <Input type="number" step={type === "integer" ? 1 : "any"} value={typeof value === "number" ? value : ""} onChange={(event) => onChange(event.target.value === "" ? undefined : Number(event.target.value))} />;
  }
  if (type === "string") {
    return <Input value={typeof value === "string" ? value : ""} spellCheck={false} onChange={(event) => onChange(event.target.value === "" ? undefined : event.target.value)} />;
  }
  return <JsonValue value={value} onChange={onChange} />;
}

function JsonValue({ value, onChange }: { value: Json | undefined; onChange: (value: Json | undefined) => void }) {
  const t = useTranslations("tools.test");
  const [text, setText] = useState(() => (value === undefined ? "" : pretty(value)));
  const [bad, setBad] = useState(false);
  const write = (next: string) => {
    setText(next);
    try {
      onChange(next.trim() ? (JSON.parse(next) as Json) : undefined);
      setBad(false);
    } catch {
      setBad(true);
    }
  };
  return (
    <>
      <Textarea value={text} rows={4} spellCheck={false} placeholder={t("json")} className="font-mono text-[13px]" onChange={(event) => write(event.target.value)} />
      {bad ? (
        <p role="alert" className="text-[13px] text-bad">
          {t("noJson")}
        </p>
      ) : null}
    </>
  );
}
