// Anthropic's SDK: Messages.

import Anthropic from "@anthropic-ai/sdk";

function request({ model, ask }) {
  const source = { type: "base64", media_type: "image/png", data: ask.image };
  const content = ask.image ? [{ type: "image", source }, { type: "text", text: ask.text }] : ask.text;
  const request = { model, messages: [{ role: "user", content }], max_tokens: ask.maxTokens };
  if (ask.tools) {
    request.tools = ask.tools.map(({ name, description, schema }) => ({
      name,
      description,
      input_schema: schema,
    }));
  }
  if (ask.schema) request.output_config = { format: { type: "json_schema", schema: ask.schema } };
  if (ask.thinking) request.thinking = { type: "enabled", budget_tokens: ask.thinkingTokens };
  return request;
}

async function messages(job) {
  const client = new Anthropic({ baseURL: job.root, apiKey: job.key, maxRetries: 0, timeout: 20_000 });
  const message = job.stream
    ? await client.messages.stream(request(job)).finalMessage()
    : await client.messages.create(request(job));
  const all = (type) => message.content.filter((block) => block.type === type);
  const { input_tokens, cache_read_input_tokens, cache_creation_input_tokens, output_tokens } = message.usage;
  return {
    text: all("text").map((block) => block.text).join(""),
    thinking: all("thinking").map((block) => block.thinking).join(""),
    calls: all("tool_use").map((block) => ({ name: block.name, arguments: block.input })),
    finish: message.stop_reason,
    usage: {
      input: input_tokens + (cache_read_input_tokens ?? 0) + (cache_creation_input_tokens ?? 0),
      output: output_tokens,
    },
  };
}

export const sdks = { anthropic_messages: messages };
