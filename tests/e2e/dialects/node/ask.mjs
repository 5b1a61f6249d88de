// Asks questions through the JavaScript SDKs: reads a list of jobs from standard input as JSON, and writes a list of
// what came of them to standard output. A job is {sdk, root, key, model, stream, ask}; see tests/clients/node.py.

import { readFileSync } from "node:fs";
import * as ai from "./ai.mjs";
import * as anthropic from "./anthropic.mjs";
import * as openai from "./openai.mjs";

const sdks = { ...openai.sdks, ...anthropic.sdks, ...ai.sdks };

async function run(job) {
  try {
    return { outcome: await sdks[job.sdk](job) };
  } catch (error) {
    const status = error.status ?? error.statusCode ?? error.lastError?.statusCode ?? null;
    return { error: { name: error.constructor.name, status, message: String(error.message) } };
  }
}

const results = [];
for (const job of JSON.parse(readFileSync(0, "utf8"))) {
  results.push(await run(job));
}
process.stdout.write(JSON.stringify(results));
