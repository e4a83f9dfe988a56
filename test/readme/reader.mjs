import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { Failure } from '../../scripts/lib/command.mjs';
import { addToModule } from '../../scripts/lib/module-text.mjs';
import { findDifference, markAnswers } from './answers.mjs';
import { checkPortsFree } from './ports.mjs';
import { Terminal } from './terminal.mjs';

/** The commands that run until Ctrl-C without a mark in the document. */
const SERVICES = [
  { command: /^(?:\w+=\S+ )*npm start$/m, ready: 'Ctrl-C' },
  { command: /^docker compose up\b(?!.* (?:-d|--detach|--wait)\b)/m, ready: ':3000/docs' }, // the client app starts last, and logs its page
];

const DOCKER = /\bdocker\b/;

/** Runs the steps of a document in a clone. */
export class Reader {
  /** @readonly */
  #terminal;
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
    this.#terminal = new Terminal(clone, env);
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
    await this.#service?.kill();
    if (this.#composeFolder === undefined) return;
    this.#terminal.folder = this.#composeFolder;
    const { signal } = new AbortController(); // also after a stop
    const down = this.#withCompose('docker compose down --remove-orphans');
    await this.#terminal.run(down, signal).catch(() => undefined); // the failure is already reported
  }

  async #run({ script, section, answer, ready }, stop) {
    const needsDocker = DOCKER.test(script);
    if (this.#docker.skipped !== undefined && (needsDocker || section === this.#skippedSection)) {
      // The rest of the section calls a service that was not started.
      this.#skippedSection = section;
      return this.#docker.skipped;
    }
    const waitsFor = ready ?? SERVICES.find(({ command }) => command.test(script))?.ready;
    const startsStack = /docker compose up\b/.test(script);
    if (startsStack || waitsFor !== undefined) await this.leave();
    if (startsStack) this.#composeFolder = this.#terminal.folder;
    if (waitsFor !== undefined) {
      this.#service = await this.#terminal.start(this.#withCompose(script), waitsFor, stop);
      return;
    }
    const marked = markAnswers(this.#withCompose(script));
    const printed = await this.#terminal.run(marked.script, stop);
    const difference = findDifference(printed, answer === undefined ? marked.answers : [answer]);
    if (difference !== undefined) throw new Failure(difference);
  }

  #withCompose(script) {
    return script.replaceAll(/\bdocker compose\b/g, this.#docker.compose ?? 'docker compose');
  }

  async #write({ path, text }) {
    const file = join(this.#terminal.folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    for (const [, name] of text.matchAll(/^export (?:class|const|function) (\w+)/gm)) this.#files.set(name, file);
  }

  async #add({ name, list, path }) {
    const file = join(this.#terminal.folder, path);
    const exporting = this.#files.get(name);
    if (exporting === undefined) throw new Failure(`no file that was written exports ${name}`);
    const between = relative(dirname(file), exporting).replace(/\.ts$/, '.js');
    const from = between.startsWith('.') ? between : `./${between}`;
    const text = addToModule(await readFile(file, 'utf8'), { name, from, list }, path);
    await writeFile(file, await format(text, { ...(await resolveConfig(file)), filepath: file }));
  }
}
