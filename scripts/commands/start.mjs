import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { App } from '../lib/app.mjs';
import { Failure } from '../lib/failure.mjs';
import { call } from '../lib/http.mjs';
import { NatsServer } from '../lib/nats-server.mjs';
import { prepare } from '../lib/prepare.mjs';
import { Progress } from '../lib/progress.mjs';
import { checkPorts, curlLine, readEnvironment, readListeners, triggerHost } from '../lib/settings.mjs';

const BODY = JSON.stringify({ text: 'Hello Server!' });
const ANSWER_TIMEOUT_MS = 10_000;
const PRINT_TIMEOUT_MS = 1000;

/**
 * `npm start`: starts both apps, sends one message through them, and shows their output until Ctrl-C. With `--broker
 * nats` the messages go through a NATS server, which is started as well.
 */
export async function command(stop, { values }) {
  if (![undefined, 'nats'].includes(values.broker)) throw new Failure(`--broker is ${values.broker}; expected nats`);
  const env = await readEnvironment();
  const broker = values.broker === undefined ? undefined : await NatsServer.start(stop);
  if (broker !== undefined) env.SEALWIRE_BROKER = broker.url;
  const apps = [];
  try {
    await runApps(apps, broker, env, stop);
  } finally {
    await Promise.all(apps.map((app) => app.stop(stop.reason?.message === 'SIGINT' ? 'SIGINT' : 'SIGTERM')));
    await broker?.stop();
  }
  return 0;
}

/** Starts the apps, which are added to `apps`, sends a message and waits for Ctrl-C. */
async function runApps(apps, broker, env, stop) {
  const listeners = readListeners(env);
  await checkPorts(listeners, env);
  await prepare(stop);
  const programs = broker === undefined ? [] : [broker];
  const progress = new Progress();
  // One after the other: the server makes the key file where there is none.
  for (const [name, { url }, headers] of [
    ['server', listeners.health, {}],
    ['client', listeners.trigger, { host: triggerHost(env) }],
  ]) {
    progress.show('Starting the apps …');
    const app = new App(name, env);
    apps.push(app);
    programs.push(app);
    await orEnd(programs, app.ready(`${url}/health`, stop, headers)).finally(() => progress.clear());
  }
  await orEnd(programs, sayHello(apps, listeners.trigger, env, stop));
  for (const app of apps) app.passOn();
  await orEnd(programs, once(stop, 'abort'));
}

/** Resolves with the result of the work, or rejects when one of the programs ends before that. */
function orEnd(programs, work) {
  return Promise.race([work, ...programs.map((program) => program.failWhenEnded())]);
}

async function sayHello([server, client], { url }, env, stop) {
  const messages = `${url}/messages`;
  const whileStarting = [...server.take(), ...client.take()];
  const printed = Promise.all([server.printed('Decrypted'), client.printed('Receipt')]);
  const headers = { 'content-type': 'application/json', host: triggerHost(env) };
  if (env.HTTP_TOKEN) headers.authorization = `Bearer ${env.HTTP_TOKEN}`;
  const answer = await call(messages, { method: 'POST', headers, body: BODY, timeoutMs: ANSWER_TIMEOUT_MS, stop });
  const seconds = process.uptime().toFixed(1);
  if (answer.status !== 200) throw new Failure(`POST ${messages} was answered with ${answer.status} ${answer.text}`);
  // The answer may be here before the lines about it.
  await Promise.race([printed, delay(PRINT_TIMEOUT_MS, undefined, { signal: stop })]);
  print(whileStarting);
  console.log(`\nPOST ${messages} ${BODY}`);
  console.log('Output of the client:');
  print(client.take(), '  ');
  console.log('Output of the server:');
  print(server.take(), '  ');
  console.log(`Answer:\n  ${answer.text}\n`);
  console.log(`First answer:  ${seconds} s after the start`);
  console.log(`Trigger:       ${messages}`);
  console.log(`Try:           ${curlLine(url, '/messages', '{"text":"How are you?"}', env)}`);
  console.log('End:           Ctrl-C\n');
}

function print(lines, indent = '') {
  for (const { text } of lines) console.log(`${indent}${text}`);
}
