"use client";

// Menus are loaded when somebody is about to open one: placing them takes a good deal of code, and most are never opened.

import { useTranslations } from "next-intl";
import dynamic from "next/dynamic";
import { Slot } from "radix-ui";
import { useState, type ComponentType, type ReactElement } from "react";

import { toast } from "@/lib/toast";

import type { ChoiceProps, ItemProps, MenuProps } from "./menu-inside";
import { guarded } from "./guarded";

const load = () => import("./menu-inside");
const MenuInside = guarded(dynamic(() => load().then((inside) => inside.MenuInside), { ssr: false }));

export const MenuItem: ComponentType<ItemProps> = dynamic(() => load().then((inside) => inside.MenuItem), { ssr: false });
export const MenuLine: ComponentType = dynamic(() => load().then((inside) => inside.MenuLine), { ssr: false });

/** One choice of several; the chosen one has a mark. */
export const MenuChoice = dynamic(() => load().then((inside) => inside.MenuChoice), { ssr: false }) as <T extends string>(
  props: ChoiceProps<T>,
) => ReactElement;

/** A menu that opens at a button (`trigger` is that button). */
export function Menu(props: MenuProps) {
  const t = useTranslations("common.errors");
  const [opened, setOpened] = useState(false);
  if (opened) return <MenuInside {...props} />;
  const preload = () => void load().catch(() => undefined);
  const failed = () => toast.error(t("notLoaded"));
  const open = () => void load().then(() => setOpened(true), failed);
  return (
    <Slot.Root aria-haspopup="menu" aria-expanded={false} onPointerEnter={preload} onFocus={preload} onClick={open}>
      {props.trigger}
    </Slot.Root>
  );
}
