// What went wrong with a request, in the words of the API's problem documents.

import { newId } from "./ids";

export interface FieldError {
  /** Where in the body: names and indexes joined by dots, such as `model_config.temperature`. */
  readonly field: string;
  readonly message: string;
}

/** A request that was answered by an error, or not at all (`status` 0). */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    /** The stable code, `network_error` where no answer came. */
    readonly code: string,
    detail: string,
    readonly requestId: string | null = null,
    readonly fields: readonly FieldError[] = [],
  ) {
    super(detail);
  }
}

/** Whether asking again the same way is useless. */
export function isLasting(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}

/** The error of any failure; what is not an `ApiError` is a fault of the console and gets an id to ask for. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  // Something between here and the API answers in its place: a proxy, a page to sign in to a network.
  if (error instanceof SyntaxError) return new ApiError(0, "unreadable_answer", "");
  const words = error instanceof Error ? error.message : String(error);
  return new ApiError(0, "console_error", words, `ui_${newId()}`);
}
