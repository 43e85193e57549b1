// The client under remote control: commands as JSON lines on stdin, answers on stdout. Tests drive it against the real
// stack as they drive the Python client.

import { createInterface } from "node:readline";

import {
  ClientError, PlaygroundClient, answerOf, isOver, messageSource, ticketSource, type Answer, type Conversation, type Sent,
  type Timing, type Transcript,
} from "../src/index.js";
import { viewOf } from "./view.js";

interface Command {
  readonly id: number;
  readonly do: string;
  readonly name: string;
  readonly content: string;
  readonly after?: string;
  readonly conversation: string;
  readonly length: number;
  readonly state: string;
  readonly base_url: string;
  readonly agent_id: string;
  readonly token?: string;
  readonly timing?: Partial<Timing>;
  readonly rest?: boolean;
}

let client: PlaygroundClient;
const states: string[] = [];
const sent = new Map<string, Sent>();
const watched = new Map<string, Conversation>();

function open({ base_url: baseUrl, agent_id: agentId, token, timing = {}, rest: whole = true }: Command): void {
  const rest = { baseUrl, headers: token === undefined ? {} : { Authorization: `Bearer ${token}` } };
  const ticket = token === undefined ? {} : { ticket: ticketSource(agentId, rest) };
  const onState = (state: string): unknown => states.push(state);
  const messages = whole ? { messages: messageSource(rest) } : {};
  client = new PlaygroundClient({ baseUrl, agentId, timing, onState, ...messages, ...ticket }).connect();
}

function say({ name, content, after }: Command): void {
  const conversation = after === undefined ? client.conversation() : letter(after).conversation;
  sent.set(name, conversation.send(content));
}

const letter = (name: string): Sent => sent.get(name) ?? raise(`no message ${name}`);
const look = (name: string): Conversation => watched.get(name) ?? raise(`nothing is watched as ${name}`);

function raise(words: string): never {
  throw new RangeError(words);
}

const show = (answer: Answer): unknown => viewOf({ entries: [answer] })[0];

function answers({ entries }: Transcript): Answer[] {
  return entries.filter((entry): entry is Answer => entry.role === "assistant");
}

async function grown({ name, length }: Command): Promise<unknown> {
  const { runId } = await letter(name).accepted();
  const { conversation } = letter(name);
  const long = (answer: Answer | undefined): boolean => !!answer && (isOver(answer) || answer.text.length >= length);
  await conversation.until((known) => long(answerOf(known, runId)));
  return show(answerOf(conversation.transcript, runId) ?? raise("no answer"));
}

async function seen({ name }: Command): Promise<unknown> {
  const conversation = look(name);
  const last = (known: Transcript): Answer | undefined => answers(known).at(-1);
  const ended = (answer: Answer | undefined): boolean => answer !== undefined && isOver(answer);
  await conversation.until((known) => ended(last(known)) && !client.archive.loading(last(known)?.runId ?? ""));
  return viewOf(conversation.transcript);
}

const COMMANDS: Readonly<Record<string, (command: Command) => unknown>> = {
  open,
  say,
  accepted: async ({ name }) => {
    const { conversationId, runId, messageId } = await letter(name).accepted();
    return { conversation_id: conversationId, run_id: runId, message_id: messageId };
  },
  answer: async ({ name }) => show(await letter(name).answer()),
  grown,
  transcript: ({ name }) => viewOf(letter(name).conversation.transcript),
  cancel: ({ name }) => letter(name).conversation.cancel(),
  watch: ({ name, conversation }) => void watched.set(name, client.watch(conversation)),
  seen,
  reached: async ({ state }) => {
    while (!states.includes(state)) await client.changed();
  },
  states: () => states,
  close: () => client.close(),
};

async function obey(command: Command): Promise<void> {
  const tell = (facts: object): unknown => process.stdout.write(`${JSON.stringify({ id: command.id, ...facts })}\n`);
  try {
    tell({ value: (await (COMMANDS[command.do] ?? raise(command.do))(command)) ?? null });
  } catch (error) {
    tell({ error: error instanceof ClientError ? error.code : String(error) });
  }
}

for await (const line of createInterface({ input: process.stdin })) void obey(JSON.parse(line) as Command);
client!.close();
