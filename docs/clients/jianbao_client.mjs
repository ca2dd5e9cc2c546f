// Reads bulletins from JSON lines, writes a report for each as JSON lines in the same order.
//
//     npm install
//     node jianbao_client.mjs 127.0.0.1:50051 < bulletins.jsonl > reports.jsonl
//
// A line in is a bulletin, {"id": "…", "text": "…"}; a line out is the report or the error of that bulletin. With
// `--unary` each bulletin is a call of its own. The messages are read from proto/ when the program starts.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const HERE = new URL('.', import.meta.url);
const WINDOW = 256; // bulletins sent and not answered, kept to be sent again
const STREAM_MS = 600_000; // a stream that takes longer is begun anew from where it is
const AGAIN = [grpc.status.UNAVAILABLE, grpc.status.RESOURCE_EXHAUSTED, grpc.status.DEADLINE_EXCEEDED];

export function connect(address) {
  const proto = loadSync('jianbao/v1/extract_report_service.proto', {
    includeDirs: [fileURLToPath(new URL('../../proto', HERE))], enums: String, longs: Number, oneofs: true,
  });
  const { ExtractReportService } = grpc.loadPackageDefinition(proto).jianbao.v1;
  return new ExtractReportService(address, grpc.credentials.createInsecure(), {
    'grpc.service_config': readFileSync(new URL('service-config.json', HERE), 'utf8'),
    'grpc.max_receive_message_length': -1, // a report is longer than its text
    'grpc.keepalive_time_ms': 60_000,
  });
}

// The answer to one bulletin. The service config retries it and sets its deadline.
export const one = (client, bulletin) => new Promise((resolve, reject) => {
  client.extractReport({ bulletin }, (error, answer) => (error ? reject(error) : resolve(answer)));
});

// One answer for each bulletin, in order, over as many streams as it takes; `take` is waited for with each.
export async function bulk(client, bulletins, take) {
  const source = bulletins[Symbol.asyncIterator]();
  const unanswered = [];
  let failures = 0;
  for (;;) {
    const call = client.bulkExtractReports({ deadline: Date.now() + STREAM_MS });
    const stream = send(call, source, unanswered);
    try {
      let sequence = 0;
      for await (const answer of call) {
        if ((answer.sequence ?? 0) !== sequence) throw new Error('answers come in the order of the requests');
        sequence += 1;
        failures = 0;
        stream.answered();
        await take(answer);
      }
      await stream.ended;
      if (unanswered.length > 0) throw new Error('the stream ended before its last answer');
      return;
    } catch (error) {
      await stream.close();
      if (!AGAIN.includes(error.code)) throw error;
      failures += 1;
      await sleep(pause(error, failures));
    }
  }
}

// Sends what an earlier stream was not answered, then more, never too far ahead of the answers.
function send(call, source, unanswered) {
  let open = true;
  let wake = () => {};
  const woken = () => new Promise((resolve) => { wake = resolve; });
  const write = async (bulletin) => {
    if (!call.write({ bulletin })) await Promise.race([new Promise((resolve) => { call.once('drain', resolve); }), woken()]);
  };
  const run = async () => {
    for (const bulletin of [...unanswered]) if (open) await write(bulletin);
    while (open) {
      while (open && unanswered.length >= WINDOW) await woken();
      if (!open) break;
      const { value, done } = await source.next();
      if (done) break;
      unanswered.push(value);
      if (open) await write(value);
    }
    if (open) call.end();
  };
  const ended = run();
  return {
    ended,
    answered() { unanswered.shift(); wake(); },
    close() { open = false; wake(); return ended; },
  };
}

// How long to wait: what the server says, else twice as long each time, at random.
function pause(error, failures) {
  const [said] = error.metadata?.get('grpc-retry-pushback-ms') ?? [];
  return /^\d+$/.test(said) ? Number(said) : Math.random() * Math.min(5000, 100 * 2 ** failures);
}

async function* fromLines(input) {
  for await (const line of createInterface({ input, crlfDelay: Infinity })) if (line.trim()) yield JSON.parse(line);
}

const print = (answer) => new Promise((resolve) => { process.stdout.write(`${JSON.stringify(answer)}\n`, resolve); });

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [address, mode] = process.argv.slice(2);
  const client = connect(address);
  const bulletins = fromLines(process.stdin);
  if (mode === '--unary') for await (const bulletin of bulletins) await print(await one(client, bulletin));
  else await bulk(client, bulletins, print);
  client.close();
}
