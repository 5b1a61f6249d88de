// OpenAI's SDK: chat completions and Responses.

import OpenAI from "openai";

const client = (job) =>
  new OpenAI({ baseURL: `${job.root}/v1`, apiKey: job.key, maxRetries: 0, timeout: 20_000 });

function chatRequest({ model, ask }) {
  const image = { type: "image_url", image_url: { url: `data:image/png;base64,${ask.image}` } };
  const content = ask.image ? [{ type: "text", text: ask.text }, image] : ask.text;
  const request = { model, messages: [{ role: "user", content }], max_completion_tokens: ask.maxTokens };
  if (ask.tools) {
    request.tools = ask.tools.map(({ name, description, schema }) => ({
      type: "function",
      function: { name, description, parameters: schema },
    }));
  }
  if (ask.schema) {
    const json_schema = { name: "capital", schema: ask.schema, strict: true };
    request.response_format = { type: "json_schema", json_schema };
  }
  if (ask.thinking) request.reasoning_effort = "medium";
  return request;
}

async function chat(job) {
  const completions = client(job).chat.completions;
  const completion = job.stream
    ? await completions
        .stream({ ...chatRequest(job), stream_options: { include_usage: true } })
        .finalChatCompletion()
    : await completions.create(chatRequest(job));
  const { message, finish_reason } = completion.choices[0];
  return {
    text: message.content ?? "",
    calls: (message.tool_calls ?? []).map((call) => ({
      name: call.function.name,
      arguments: JSON.parse(call.function.arguments),
    })),
    finish: finish_reason,
    usage: { input: completion.usage.prompt_tokens, output: completion.usage.completion_tokens },
  };
}

function responsesRequest({ model, ask }) {
  const content = [{ type: "input_text", text: ask.text }];
  if (ask.image) {
    const image_url = `data:image/png;base64,${ask.image}`;
    content.push({ type: "input_image", image_url, detail: "auto" });
  }
  const request = { model, input: [{ role: "user", content }], max_output_tokens: ask.maxTokens, store: false };
  if (ask.tools) {
    request.tools = ask.tools.map(({ name, description, schema }) => ({
      type: "function",
      name,
      description,
      parameters: schema,
      strict: false,
    }));
  }
  if (ask.schema) {
    request.text = { format: { type: "json_schema", name: "capital", schema: ask.schema, strict: true } };
  }
  if (ask.thinking) request.reasoning = { effort: "medium", summary: "auto" };
  return request;
}

async function responses(job) {
  const api = client(job).responses;
  const response = job.stream
    ? await api.stream(responsesRequest(job)).finalResponse()
    : await api.create(responsesRequest(job));
  const items = response.output;
  const summaries = items.filter((item) => item.type === "reasoning").flatMap((item) => item.summary);
  return {
    text: response.output_text,
    thinking: summaries.map((part) => part.text).join(""),
    calls: items
      .filter((item) => item.type === "function_call")
      .map((call) => ({ name: call.name, arguments: JSON.parse(call.arguments) })),
    finish: response.incomplete_details?.reason ?? response.status,
    usage: { input: response.usage.input_tokens, output: response.usage.output_tokens },
  };
}

export const sdks = { openai_chat: chat, openai_responses: responses };
