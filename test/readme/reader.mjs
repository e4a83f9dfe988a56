import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { Failure } from '../../scripts/lib/failure.mjs';
import { addToModule } from '../../scripts/lib/module-text.mjs';
import { findDifference, markAnswers, SEPARATOR } from './answers.mjs';
import { Shell } from './shell.mjs';

/** The commands that run until Ctrl-C without a mark in the document. */
const SERVICES = [
  { command: /^(?:\w+=\S+ )*npm start$/m, ready: 'Ctrl-C' },
  { command: /^docker compose up\b(?!.* (?:-d|--detach|--wait)\b)/m, ready: ':3000/docs' }, // the client app starts last, and logs its page
];

const PORTS = [3000, 8080, 8081]; // the ports in the documents

/** Throws if a port is in use: the commands of the documents run unchanged, with their ports. */
export async function checkPortsFree() {
  const servers = PORTS.map((port) => createServer().listen({ port, host: '127.0.0.1', exclusive: true }));
  const found = await Promise.allSettled(servers.map((server) => once(server, 'listening')));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  const taken = PORTS.filter((_, index) => found[index].status === 'rejected');
  if (taken.length > 0)
    throw new Failure(
      `The commands of the documents need the ports ${PORTS.join(', ')} of 127.0.0.1; in use: ${taken.join(', ')}. End what listens there.`,
    );
}

/** Runs the steps of a document in a clone. */
export class Reader {
  /** The folder that a command has changed to. */
  #folder;
  /** @readonly */
  #env;
  /** @readonly The file of each name that a written file exports. */
  #files = new Map();
  /** @readonly */
  #docker;
  #skippedSection;
  #service;
  #composeFolder;

  /**
   * @param {string} clone
   * @param {NodeJS.ProcessEnv} env
   * @param {{ compose: string } | { skipped: string }} docker
   */
  constructor(clone, env, docker) {
    this.#folder = clone;
    this.#env = env;
    this.#docker = docker;
  }

  /**
   * @param {import('./document.mjs').Step} step
   * @returns {Promise<string | undefined>} The reason, if the step was skipped.
   */
  async take(step, stop) {
    switch (step.kind) {
      case 'file':
        return this.#write(step);
      case 'addition':
        return this.#add(step);
      case 'commands':
        return this.#run(step, stop);
      // no default
    }
  }

  /** Sends Ctrl-C to the running service. */
  async leave() {
    const service = this.#service;
    this.#service = undefined;
    await service?.interrupt();
    if (service !== undefined) await checkPortsFree();
  }

  /** Ends every process that a failure has left running. */
  async cleanUp() {
    await this.#service?.end('SIGTERM');
    if (this.#composeFolder === undefined) return;
    const down = this.#shell('docker compose down --remove-orphans', this.#composeFolder);
    await down.succeeded(new AbortController().signal).catch(() => undefined); // the failure is already reported
  }

  #shell(script, folder = this.#folder) {
    const compose = this.#docker.compose ?? 'docker compose';
    return new Shell(script.replaceAll(/\bdocker compose\b/g, compose), folder, this.#env);
  }

  async #run({ script, section, answer, ready }, stop) {
    if (this.#docker.skipped !== undefined && (/\bdocker\b/.test(script) || section === this.#skippedSection)) {
      // The rest of the section calls a service that was not started.
      this.#skippedSection = section;
      return this.#docker.skipped;
    }
    const waitsFor = ready ?? SERVICES.find(({ command }) => command.test(script))?.ready;
    const startsStack = /docker compose up\b/.test(script);
    if (startsStack || waitsFor !== undefined) await this.leave();
    if (startsStack) this.#composeFolder = this.#folder;
    if (waitsFor !== undefined) {
      this.#service = this.#shell(script);
      await this.#service.printed(waitsFor, stop);
      return;
    }
    const marked = markAnswers(script);
    const shell = this.#shell(String.raw`${marked.script}
printf '\036'; pwd`);
    const printed = (await shell.succeeded(stop)).split(SEPARATOR);
    this.#folder = printed.pop().trim();
    const difference = findDifference(printed, answer === undefined ? marked.answers : [answer]);
    if (difference !== undefined) throw new Failure(difference);
  }

  async #write({ path, text }) {
    const file = join(this.#folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    for (const [, name] of text.matchAll(/^export (?:class|const|function) (\w+)/gm)) this.#files.set(name, file);
  }

  async #add({ name, list, path }) {
    const file = join(this.#folder, path);
    const exporting = this.#files.get(name);
    if (exporting === undefined) throw new Failure(`no file that was written exports ${name}`);
    const between = relative(dirname(file), exporting).replace(/\.ts$/, '.js');
    const from = between.startsWith('.') ? between : `./${between}`;
    const text = addToModule(await readFile(file, 'utf8'), { name, from, list }, path);
    await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
  }
}
