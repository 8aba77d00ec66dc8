// BullMQ: queues, workers, delays, flows and rate limits, all in Lua scripts of the library.
//
//     node bullmq_jobs.mjs PORT FOLDER
//
// FOLDER holds node_modules. Ends with status 0 when everything holds.

import assert from "node:assert";
import { createRequire } from "node:module";

const require = createRequire(`${process.argv[3]}/`);
const { FlowProducer, Queue, QueueEvents, Worker } = require("bullmq");

const connection = { host: "127.0.0.1", port: Number(process.argv[2]), maxRetriesPerRequest: null };
const WAIT_MS = 20_000;

async function withQueue(name, options, process, check) {
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  const worker = new Worker(name, process, { connection, ...options });
  await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);
  try {
    await check(queue, events);
  } finally {
    await worker.close();
    await events.close();
    await queue.close();
  }
  console.log(`${name}: ok`);
}

await withQueue("a-job-gives-its-result", {}, async (job) => job.data.a + job.data.b, async (queue, events) => {
  const job = await queue.add("add", { a: 20, b: 22 });
  assert.equal(await job.waitUntilFinished(events, WAIT_MS), 42);
  assert.deepEqual(await queue.getJobCounts("completed", "failed", "wait"), { completed: 1, failed: 0, wait: 0 });
});

const order = [];
await withQueue("priorities-decide", { autorun: true }, async (job) => order.push(job.name), async (queue, events) => {
  await queue.pause();
  const jobs = [];
  for (const priority of [3, 1, 2]) {
    jobs.push(await queue.add(`p${priority}`, {}, { priority }));
  }
  await queue.resume();
  await Promise.all(jobs.map((job) => job.waitUntilFinished(events, WAIT_MS)));
  assert.deepEqual(order, ["p1", "p2", "p3"]);
});

await withQueue("what-fails-is-tried-again", {}, async (job) => {
  if (job.attemptsMade < 2) {
    throw new Error("on purpose");
  }
  return job.attemptsMade;
}, async (queue, events) => {
  const options = { attempts: 3, backoff: { type: "fixed", delay: 20 } };
  const job = await queue.add("flaky", {}, options);
  assert.equal(await job.waitUntilFinished(events, WAIT_MS), 2);
});

await withQueue("delayed-jobs-come-later", {}, async () => Date.now(), async (queue, events) => {
  const start = Date.now();
  const job = await queue.add("later", {}, { delay: 300 });
  assert.equal(await job.getState(), "delayed");
  assert.ok((await job.waitUntilFinished(events, WAIT_MS)) - start >= 295);
});

await withQueue("a-hundred-jobs-and-some-workers", { concurrency: 8 }, async (job) => job.data.n * 2, async (queue, events) => {
  const jobs = await queue.addBulk(Array.from({ length: 100 }, (_, n) => ({ name: "n", data: { n } })));
  const results = await Promise.all(jobs.map((job) => job.waitUntilFinished(events, WAIT_MS)));
  assert.deepEqual(results, Array.from({ length: 100 }, (_, n) => n * 2));
});

await withQueue("parents-wait-for-children", {}, async (job) => {
  if (job.name === "child") {
    return job.data.n;
  }
  const values = Object.values(await job.getChildrenValues());
  return values.reduce((sum, value) => sum + value, 0);
}, async (queue, events) => {
  const flow = new FlowProducer({ connection });
  const queueName = queue.name;
  const children = [1, 2, 3].map((n) => ({ name: "child", queueName, data: { n } }));
  const tree = await flow.add({ name: "parent", queueName, children });
  assert.equal(await tree.job.waitUntilFinished(events, WAIT_MS), 6);
  await flow.close();
  await queue.obliterate({ force: true });
});

process.exit(0);
