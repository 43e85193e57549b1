"use client";

import { Plus } from "lucide-react";
import { useTranslations } from "next-intl";

import { Button } from "@/components/ui/button";
import { Field, Input, Select } from "@/components/ui/field";
import { Menu, MenuItem } from "@/components/ui/menu";

import type { Faults } from "../lib/faults";
import type { HttpDraft } from "../lib/http-draft";
import { bodyOfKind, hasParts, newRow, type BodyDraft, type Place, type Row, type Shape } from "../lib/rows";
import { ParameterRow } from "./parameter-row";

const BODIES = ["json", "form", "multipart", "raw"] as const;
const ADDED = ["query", "header", "cookie", "body"] as const;

interface Props {
  draft: HttpDraft;
  faults: Faults;
  onShape: (shape: Partial<Shape>) => void;
}

/** What is filled in of the request: one row a parameter, and the kind of body. */
export function ParametersTable({ draft, faults, onShape }: Props) {
  const t = useTranslations("tools.editor.parameters");
  const { rows, body } = draft;
  const placed = rows.filter(({ place }) => place !== "body");
  const change = (row: Row) => onShape({ rows: rows.map((one) => (one.key === row.key ? row : one)) });
  const remove = (row: Row) => onShape({ rows: rows.filter((one) => one.key !== row.key) });
  const add = (place: Place) => onShape({ rows: [...rows, newRow(place, "", rows)] });
  const bodyKind = (value: string) => {
    const next = value ? bodyOfKind(value as BodyDraft["kind"], body) : null;
    onShape({ body: next, rows: hasParts(next) ? rows : placed });
  };
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h3 className="text-[13px] font-medium">{t("title")}</h3>
        <Menu
          trigger={
            <Button size="sm" icon={<Plus aria-hidden />}>
              {t("add")}
            </Button>
          }
        >
          {ADDED.map((place) => (
            <MenuItem key={place} disabled={place === "body" && !hasParts(body)} onSelect={() => add(place)}>
              {t(`add_${place}`)}
            </MenuItem>
          ))}
        </Menu>
      </div>
      {rows.length ? (
        <ul className="-my-2 flex flex-col divide-y divide-line">
          {rows.map((row) => (
            <ParameterRow key={row.key} row={row} others={rows.filter(({ key }) => key !== row.key)} error={row.place === "body" ? undefined : faultOf(faults, placed.indexOf(row))} onChange={change} onRemove={() => remove(row)} />
          ))}
        </ul>
      ) : (
        <p className="text-[13px] text-ink-faint">{t("none")}</p>
      )}
      <div className="grid gap-4 border-t border-line pt-4 sm:grid-cols-2">
        <Field label={t("body")} error={faults.get("body")}>
          <Select value={body?.kind ?? ""} onChange={(event) => bodyKind(event.target.value)}>
            <option value="">{t("bodies.none")}</option>
            {BODIES.map((kind) => (
              <option key={kind} value={kind}>
                {t(`bodies.${kind}`)}
              </option>
            ))}
          </Select>
        </Field>
        {body ? (
          <Field label={t("contentType")} error={faults.get("body.content_type")}>
            <Input value={body.contentType} spellCheck={false} className="font-mono text-[13px]" onChange={(event) => onShape({ body: { ...body, contentType: event.target.value } })} />
          </Field>
        ) : null}
      </div>
      {body && !hasParts(body) && body.kind !== "raw" ? <p className="text-[13px] text-ink-faint">{t("bodyBySchema")}</p> : null}
    </>
  );
}

function faultOf(faults: Faults, index: number): string | undefined {
  for (const [field, message] of faults) if (field === `parameters.${index}` || field.startsWith(`parameters.${index}.`)) return message;
  return undefined;
}
