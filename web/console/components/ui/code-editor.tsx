"use client";

import dynamic from "next/dynamic";

import { Skeleton } from "./surface";
import { guarded } from "./guarded";

/** A JSON editor with colours and errors at their place. Comes when it is used: it is the heaviest part of the console. */
export const CodeEditor = guarded(dynamic(() => import("./code-editor-inside"), { ssr: false, loading: () => <Skeleton className="h-40 w-full rounded-lg" /> }));
