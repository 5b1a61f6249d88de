// Vercel's AI SDK, with its providers for OpenAI, Anthropic and Google.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, jsonSchema, Output, streamText, tool } from "ai";

globalThis.AI_SDK_LOG_WARNINGS = false; // they would be mixed into the results

const openai = ({ root, key }) => createOpenAI({ baseURL: `${root}/v1`, apiKey: key });
const models = {
  ai_openai_chat: (job) => openai(job).chat(job.model),
  ai_openai_responses: (job) => openai(job).responses(job.model),
  ai_anthropic: ({ root, key, model }) => createAnthropic({ baseURL: `${root}/v1`, apiKey: key })(model),
  ai_google: ({ root, key, model }) =>
    createGoogleGenerativeAI({ baseURL: `${root}/v1beta`, apiKey: key })(model),
};

function options(job) {
  const { ask } = job;
  const content = [{ type: "text", text: ask.text }];
  if (ask.image) content.push({ type: "image", image: ask.image, mediaType: "image/png" });
  const given = {
    model: models[job.sdk](job),
    messages: [{ role: "user", content }],
    maxOutputTokens: ask.maxTokens,
    maxRetries: 0,
  };
  if (ask.tools) {
    const described = ({ name, description, schema }) => [
      name,
      tool({ description, inputSchema: jsonSchema(schema) }),
    ];
    given.tools = Object.fromEntries(ask.tools.map(described));
  }
  if (ask.schema) given.output = Output.object({ schema: jsonSchema(ask.schema) });
  if (ask.thinking) {
    given.providerOptions = {
      anthropic: { thinking: { type: "enabled", budgetTokens: ask.thinkingTokens } },
      google: { thinkingConfig: { includeThoughts: true, thinkingBudget: ask.thinkingTokens } },
    };
  }
  return given;
}

async function read(result) {
  const [text, thinking, calls, finish, usage] = await Promise.all([
    result.text,
    result.reasoningText,
    result.toolCalls,
    result.finishReason,
    result.usage,
  ]);
  return {
    text,
    thinking: thinking ?? "",
    calls: calls.map((call) => ({ name: call.toolName, arguments: call.input })),
    finish,
    usage: { input: usage.inputTokens, output: usage.outputTokens },
  };
}

async function ask(job) {
  if (!job.stream) return read(await generateText(options(job)));
  let failure;
  const result = streamText({ ...options(job), onError: ({ error }) => (failure = error) });
  try {
    await result.consumeStream();
    if (failure) throw failure;
    return await read(result);
  } catch (error) {
    throw failure ?? error;
  }
}

export const sdks = Object.fromEntries(Object.keys(models).map((name) => [name, ask]));
