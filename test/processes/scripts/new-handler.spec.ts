// `npm run new:handler` in a copy of the server app: what it writes, and that it writes nothing where it refuses.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { check, resolveConfig } from 'prettier';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ScriptHere } from './script-here.js';
import { type Ended, ROOT, ScriptRun } from './script-run.js';

const SOURCES = 'apps/server/src';
const MESSAGES = `${SOURCES}/messages`;
const MODULE = `${MESSAGES}/messages.module.ts`;
const COPIED = [
  'scripts',
  SOURCES,
  'package.json',
  'package-lock.json',
  '.prettierrc.json',
  'tsconfig.base.json',
  'vitest.config.ts',
];

let copy: string;
let script: ScriptHere;

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'sealwire-handler-'));
  await Promise.all(COPIED.map(copyIn));
  // Without the references to the libraries, which are not copied.
  await writeFile(join(copy, 'apps/server/tsconfig.json'), '{ "extends": "../../tsconfig.base.json" }');
  // Each package alone: an `npm ci` here must not empty the folder of this repository.
  await mkdir(join(copy, 'node_modules'));
  for (const name of await readdir(join(ROOT, 'node_modules')))
    await symlink(join(ROOT, 'node_modules', name), join(copy, 'node_modules', name));
  script = await ScriptHere.load('new-handler', copy);
});

/** Takes back whatever the case has changed. */
afterEach(async () => {
  await Promise.all([SOURCES, '.env'].map((path) => rm(join(copy, path), { recursive: true, force: true })));
  await copyIn(SOURCES);
});

afterAll(() => rm(copy, { recursive: true }));

function copyIn(path: string): Promise<void> {
  return cp(join(ROOT, path), join(copy, path), { recursive: true });
}

function newHandler(...args: readonly string[]): Promise<Ended> {
  return script.run(args);
}

/** The same in a process of its own. */
function newHandlerProcess(...args: readonly string[]): Promise<Ended> {
  return new ScriptRun([join(copy, 'scripts/run.mjs'), 'new-handler', ...args]).end();
}

const read = (path: string): Promise<string> => readFile(join(copy, path), 'utf8');

/** Every file of the server app with its text. */
async function sources(): Promise<Record<string, string>> {
  const entries = await readdir(join(copy, SOURCES), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readFile(path, 'utf8')])));
}

async function writeSource(path: string, text: string): Promise<void> {
  await mkdir(join(copy, SOURCES, path, '..'), { recursive: true });
  await writeFile(join(copy, SOURCES, path), text);
}

async function refused(args: readonly string[], run = newHandler) {
  const before = await sources();
  const ended = await run(...args);
  return { ...ended, hasWritten: !isDeepStrictEqual(await sources(), before) };
}

const refusal = (line: RegExp) => ({
  hasWritten: false,
  status: 1,
  stdout: '',
  stderr: expect.stringMatching(new RegExp(`^[^\\n]*${line.source}[^\\n]*\\n$`)),
});

describe('npm run new:handler', () => {
  // Names that no document uses: this tree may hold the handlers of who follows them.
  it('creates a controller and its test, and adds the class to the module', async () => {
    const { status, stdout, stderr } = await newHandlerProcess('spec-total');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(await readdir(join(copy, MESSAGES, 'spec-total'))).toEqual([
      'spec-total.controller.spec.ts',
      'spec-total.controller.ts',
    ]);
    expect(await read(`${MESSAGES}/spec-total/spec-total.controller.ts`)).toContain("@MessagePattern('spec-total')");
    const module = await read(MODULE);
    expect(module).toContain("import { SpecTotalController } from './spec-total/spec-total.controller.js';\n");
    expect(module).toMatch(/controllers: \[[^\]]*\bSpecTotalController\b/);
    expect(stdout).toContain('curl -s http://127.0.0.1:3000/send/spec-total ');
  });

  it('makes code that is formatted and passes its test, also for a word of the language and for a long name', async () => {
    const names = ['class', 'spec-total', `x${'9'.repeat(49)}`];
    const before = await sources();
    for (const name of names) expect(await newHandler(name)).toMatchObject({ status: 0, stderr: '' });
    const written = Object.entries(await sources()).filter(([path, text]) => before[path] !== text);
    expect(written).toHaveLength(2 * names.length + 1); // a controller and its test each, and the module
    for (const [path, text] of written) {
      expect(await check(text, { ...(await resolveConfig(path)), filepath: path }), path).toBe(true);
    }
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const tests = ['run', '--root', copy, ...names.map((name) => `${name}.controller.spec.ts`)];
    expect(await new ScriptRun([vitest, ...tests], { NO_COLOR: '1' }).end()).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/Test Files {2}3 passed/),
    });
  });

  it('keeps imports and controllers in alphabetical order', async () => {
    for (const name of ['zebra', 'a-first', 'mid']) await newHandler(name);
    const module = await read(MODULE);
    const [, list = ''] = /controllers: \[([^\]]*)\]/.exec(module) ?? [];
    const controllers = list.match(/\w+/g) ?? [];
    const paths = [...module.matchAll(/from '(\.[^']+)'/g)].map(([, path]) => path);
    expect(controllers).toEqual(controllers.toSorted());
    expect(controllers).toEqual(expect.arrayContaining(['AFirstController', 'MidController', 'ZebraController']));
    expect(paths).toEqual(paths.toSorted());
  });

  it('prints the curl line for the settings of the trigger', async () => {
    await writeFile(join(copy, '.env'), 'HTTP_PORT=4000\nHTTP_TOKEN=secret\n');
    const { stdout } = await newHandler('ping');
    expect(stdout).toContain('http://127.0.0.1:4000/send/ping');
    expect(stdout).toContain('Bearer $HTTP_TOKEN');
    expect(stdout).not.toContain('secret');
  });
});

describe('npm run new:handler writes nothing and', () => {
  it.each([
    '',
    'Order',
    'order_total',
    'order total',
    'order--total',
    'order-',
    '1st',
    'größe',
    '.',
    '..',
    '../ping',
    'a/b',
    'a\\b',
    '/tmp/ping',
    'ping\n',
    'ping.ts',
    "a'b",
    '__proto__',
    'x'.repeat(51),
  ])('refuses %j, which is not a name', async (name) => {
    expect(await refused([name])).toEqual(refusal(/is not a name for a handler; .* order-total/));
  });

  it.each(['dist', 'coverage', 'con'])('refuses the reserved word %s', async (name) => {
    expect(await refused([name])).toEqual(refusal(/is a reserved word/));
  });

  it.each([
    [[], /NAME is missing: see `npm run new:handler -- --help`/],
    [['a', 'b'], /There are 2 arguments; expected 1: see/],
    [['--force', 'ping'], /Unknown option '--force': see/],
  ])('refuses %j', async (args, reason) => {
    expect(await refused(args)).toEqual(refusal(reason));
  });

  it('refuses a folder that exists', async () => {
    expect(await refused(['echo'], newHandlerProcess)).toEqual(refusal(/messages\/echo already exists/));
  });

  it.each([
    ['a request', "@MessagePattern('ping') answer() {}"],
    ['an event', '@EventPattern("ping") note() {}'],
    ['one of a list', "@MessagePattern(['pong', 'ping'], SEALWIRE) answer() {}"],
    ['over lines', '@MessagePattern(\n    `ping`,\n    SEALWIRE) answer() {}'],
    ['a constant', "static readonly PING = 'ping'; @MessagePattern(Ping.PING) answer() {}"],
  ])('refuses a pattern that is handled elsewhere: %s', async (_what, member) => {
    await writeSource('health/live/live.controller.ts', `class Ping { ${member} }\n`);
    expect(await refused(['ping'])).toEqual(
      refusal(/pattern ping has a handler in apps\/server\/src\/health\/live\/live\.controller\.ts/),
    );
  });

  it('refuses a name whose class is in the module', async () => {
    await writeSource('messages/messages.module.ts', (await read(MODULE)).replaceAll('EchoController', 'AbController'));
    expect(await refused(['ab'])).toEqual(refusal(/messages\.module\.ts already has AbController/));
  });

  it.each([
    ['no list of controllers', /controllers: .*\n/, '', /no list of controllers/],
    ['controllers that are not names', 'EchoController,', '...ECHOES,', /contains more than names/],
    ['no imports', /^import .*\n/gm, '', /has no imports/],
  ])('leaves a module unchanged that has %s', async (_what, found, put, line) => {
    await writeSource('messages/messages.module.ts', (await read(MODULE)).replace(found, put));
    expect(await refused(['ping'])).toEqual(refusal(line));
  });

  it('undoes its changes if it cannot finish', async () => {
    await mkdir(join(copy, MESSAGES, '.ping.module.ts'));
    expect(await refused(['ping'])).toEqual(refusal(/EISDIR/));
    expect(await readdir(join(copy, MESSAGES))).not.toContain('ping');
  });
});

it('creates a handler for a pattern that only an object pattern or a comment mentions', async () => {
  await writeSource(
    'health/live/live.controller.ts',
    `// 'ping'\nclass Ping { @MessagePattern({ cmd: 'ping' }) a() {} }\n`,
  );
  expect(await newHandler('ping')).toMatchObject({ status: 0 });
});
