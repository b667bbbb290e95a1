#!/usr/bin/env node
// A Kafka client for tests that owes nothing to the agent's library.
//
//   client.js '{"brokers": ["127.0.0.1:9092"], "ssl": {"ca": FILE, ...}, "sasl": {"mechanism": ..., ...}}'
//
// Each line of its input is a command, a JSON object; for each it prints lines of JSON of which the last is
// {"done": ANSWER} or {"error": MESSAGE}:
//
//   {"do": "create", "topic": T, "partitions": 1, "replicas": 1, "config": {"max.message.bytes": "1000"}}
//   {"do": "configure", "topic": T, "config": {...}}
//   {"do": "delete", "topic": T}
//   {"do": "describe", "topic": T}   [{"partition": 0, "leader": 1, "replicas": [1], "isr": [1]}, ...]
//   {"do": "count", "topic": T}      offsets from the first to the last stable one, with the markers of transactions; 0 without topic
//   {"do": "produce", "topic": T, "messages": [{"key": K, "value": V, "headers": {...}, "partition": P}], "compression": "gzip"}
//   {"do": "read", "topic": T, "committed": true}
//                                    first a line for each record: partition, offset, timestamp, key, value, headers
//
// Bytes are strings here, one character each (latin1). Every command has connections of its own, so that none
// stumbles over a broker that is gone.
'use strict';

const fs = require('fs');
const readline = require('readline');
const fzstd = require('fzstd');
const lz4 = require('lz4js');
const snappy = require('snappyjs');
const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = require('kafkajs');

const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]); // Java's framing of snappy
const XERIAL_HEAD = 16;
const READ_SECONDS = 60;
// What passes, and how long it may take: until every broker knows a new topic, or a new leader.
const PATIENCE_MS = {
  UNKNOWN_TOPIC_OR_PARTITION: 2000, LEADER_NOT_AVAILABLE: 20000, NOT_LEADER_FOR_PARTITION: 20000, KafkaJSConnectionError: 10000,
};

// -- compression that kafkajs leaves to others; what is written by tests is at most gzip -----------------

function unpackSnappy(data) {
  if (!data.subarray(0, XERIAL.length).equals(XERIAL)) return snappy.uncompress(data);
  const parts = [];
  for (let at = XERIAL_HEAD; at < data.length; at += 4 + data.readInt32BE(at)) {
    parts.push(snappy.uncompress(data.subarray(at + 4, at + 4 + data.readInt32BE(at))));
  }
  return Buffer.concat(parts);
}

function reader(unpack) {
  return () => ({
    compress: () => Promise.reject(new Error('this is for reading only')),
    decompress: async (data) => Buffer.from(unpack(data)),
  });
}

CompressionCodecs[CompressionTypes.Snappy] = reader(unpackSnappy);
CompressionCodecs[CompressionTypes.LZ4] = reader((data) => lz4.decompress(data));
CompressionCodecs[CompressionTypes.ZSTD] = reader((data) => fzstd.decompress(data));

// -- the commands ------------------------------------------------------------------------------------------

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const text = (bytes) => (bytes === null || bytes === undefined ? null : bytes.toString('latin1'));
const bytes = (value) => (value === null || value === undefined ? null : Buffer.from(value, 'latin1'));
const mapValues = (object, change) => Object.fromEntries(Object.entries(object || {}).map(([name, value]) => [name, change(value)]));
const entries = (config) => Object.entries(config || {}).map(([name, value]) => ({ name, value: String(value) }));

async function withAdmin(kafka, work) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function offsets(admin, topic) {
  if (!(await admin.listTopics()).includes(topic)) return [];
  const all = await admin.fetchTopicOffsets(topic);
  return all.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
}

const commands = {
  create: (kafka, { topic, partitions, replicas, config }) =>
    withAdmin(kafka, async (admin) => {
      await admin.createTopics({
        waitForLeaders: false,
        topics: [{ topic, numPartitions: partitions || 1, replicationFactor: replicas || 1, configEntries: entries(config) }],
      });
      await patiently(() => admin.fetchTopicMetadata({ topics: [topic] }));
      await admin.describeGroups(['none']); // makes the group coordinator, which takes all brokers
    }),

  configure: (kafka, { topic, config }) =>
    withAdmin(kafka, (admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: entries(config) }],
      })
    ),

  delete: (kafka, { topic }) =>
    withAdmin(kafka, async (admin) => {
      await admin.deleteTopics({ topics: [topic] });
      while ((await admin.listTopics()).includes(topic)) await sleep(50);
    }),

  describe: (kafka, { topic }) =>
    withAdmin(kafka, async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0].partitions.map(({ partitionId, leader, replicas, isr }) => ({ partition: partitionId, leader, replicas, isr }));
    }),

  count: (kafka, { topic }) =>
    withAdmin(kafka, async (admin) => (await offsets(admin, topic)).reduce((sum, { low, high }) => sum + high - low, 0)),

  async produce(kafka, { topic, messages, compression }) {
    const producer = kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    try {
      const all = messages.map(({ key, value, headers, ...more }) => ({
        ...more, key: bytes(key), value: bytes(value), headers: mapValues(headers, bytes),
      }));
      await producer.send({ topic, messages: all, acks: -1, compression: compression === 'gzip' ? CompressionTypes.GZIP : undefined });
    } finally {
      await producer.disconnect();
    }
  },

  async read(kafka, { topic, committed }) {
    const all = await withAdmin(kafka, (admin) => offsets(admin, topic));
    const ends = new Map(all.filter(({ low, high }) => high > low).map(({ partition, high }) => [partition, high]));
    if (ends.size > 0) await readTo(kafka, topic, ends, committed !== false);
  },
};

// Reads each partition up to its end; `ends` is emptied on the way.
async function readTo(kafka, topic, ends, committed) {
  const groupId = `test-${process.pid}-${Date.now()}`;
  const consumer = kafka.consumer({ groupId, readUncommitted: !committed, maxWaitTimeInMs: 100, allowAutoTopicCreation: false });
  const upTo = new Map(ends);
  await consumer.connect();
  let timer;
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`partitions ${[...ends.keys()]} were not read to their end`)), READ_SECONDS * 1000);
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
        // also for batches of which nothing is shown: markers of transactions, and what was aborted
        if (Number(payload.lastOffset) + 1 >= ends.get(payload.partition)) ends.delete(payload.partition);
        if (ends.size === 0) resolve();
      });
      consumer.run({ autoCommit: false, eachBatch: async ({ batch }) => printBatch(batch, upTo.get(batch.partition)) }).catch(reject);
    });
  } finally {
    clearTimeout(timer);
    await consumer.disconnect();
  }
}

function printBatch(batch, end) {
  for (const { offset, timestamp, key, value, headers } of batch.messages) {
    if (Number(offset) >= end) break;
    print({
      partition: batch.partition, offset: Number(offset), timestamp: Number(timestamp),
      key: text(key), value: text(value), headers: mapValues(headers, text),
    });
  }
}

// -- the loop ----------------------------------------------------------------------------------------------

function connect({ brokers, ssl, sasl }) {
  const files = ssl && { ...mapValues(ssl, (path) => fs.readFileSync(path)) };
  return new Kafka({
    brokers, ssl: files, sasl, clientId: 'test', logLevel: logLevel.NOTHING, retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 20 },
  });
}

async function patiently(work) {
  const begun = Date.now();
  for (;;) {
    try {
      return await work();
    } catch (err) {
      if (!(Date.now() - begun < PATIENCE_MS[err.type || err.name])) throw err;
      await sleep(50);
    }
  }
}

async function main() {
  const kafka = connect(JSON.parse(process.argv[2]));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { do: name, ...options } = JSON.parse(line);
    try {
      if (!commands[name]) throw new Error(`there is no command ${name}`);
      const done = await patiently(() => commands[name](kafka, options));
      print({ done: done === undefined ? null : done });
    } catch (err) {
      print({ error: err.message });
    }
  }
}

main();
