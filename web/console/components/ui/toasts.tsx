"use client";

import dynamic from "next/dynamic";

import { useToasting } from "@/lib/toast";
import { guarded } from "./guarded";

const Toaster = guarded(dynamic(() => import("./toaster").then((module) => module.ThemedToaster), { ssr: false }), { quiet: true });

/** Where toasts appear. Say something with `toast` of lib/toast; the first one loads what shows them. */
export function Toasts() {
  return useToasting() ? <Toaster /> : null;
}
