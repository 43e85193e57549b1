// REST. Every failure is an ApiError whose message is in words and whose code is for programs.

const BASE = "/api/v1";

export class ApiError extends Error {
  constructor(message, { status = 0, code = "unreachable", faults = [] } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.faults = faults;
  }

  /** The message with what is wrong with which field. */
  get words() {
    const faults = this.faults.map((fault) => `${fault.pointer.split("/").filter(Boolean).join(" ")}: ${fault.message}`);
    return [this.message, ...faults].join(" ");
  }
}

async function call(method, path, { body, headers = {} } = {}) {
  const options = { method, headers: { ...headers } };
  if (body !== undefined) {
    options.headers["Content-Type"] = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(BASE + path, options);
  } catch {
    throw new ApiError("The server cannot be reached. Is it still running?");
  }
  const data = await response.json().catch(() => null);
  if (!response.ok) throw failure(response, data);
  return { data, etag: response.headers.get("ETag") };
}

function failure(response, data) {
  const message = data?.detail || data?.title || `The server answered ${response.status}.`;
  return new ApiError(message, { status: response.status, code: data?.code || String(response.status), faults: data?.errors ?? [] });
}

function page(path, parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  return call("GET", `${path}?${query}`).then((answer) => answer.data);
}

const guarded = (etag) => (etag ? { "If-Match": etag } : {});
const at = (id) => encodeURIComponent(id);

export const listModels = () => call("GET", "/models").then((answer) => answer.data.providers);
export const listAgents = (cursor) => page("/agents", { limit: 50, cursor });
export const getAgent = (id) => call("GET", `/agents/${at(id)}`);
export const createAgent = (agent, key) =>
  call("POST", "/agents", { body: agent, headers: { "Idempotency-Key": key } }).then((answer) => answer.data);
export const patchAgent = (id, patch, etag) =>
  call("PATCH", `/agents/${at(id)}`, { body: patch, headers: guarded(etag) }).then((answer) => answer.data);
export const deleteAgent = (id) => call("DELETE", `/agents/${at(id)}`);
export const listConversations = (agent, cursor) => page(`/agents/${at(agent)}/conversations`, { limit: 30, cursor });
export const getConversation = (id) => call("GET", `/conversations/${at(id)}`).then((answer) => answer.data);
export const renameConversation = (id, title) =>
  call("PATCH", `/conversations/${at(id)}`, { body: { title } }).then((answer) => answer.data);
export const deleteConversation = (id) => call("DELETE", `/conversations/${at(id)}`);
export const listMessages = (conversation, cursor) => page(`/conversations/${at(conversation)}/messages`, { limit: 50, cursor });
