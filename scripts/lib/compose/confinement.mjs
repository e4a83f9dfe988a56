import { Failure } from '../command.mjs';
import { expectEqual, expectTrue } from './checks.mjs';

// Runs inside of a container, as text: it can use nothing from outside of it.
function report() {
  const { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } =
    process.getBuiltinModule('node:fs');
  const attempt = (file) => {
    try {
      writeFileSync(file, '', { flag: 'wx' });
      rmSync(file);
      return 'written';
    } catch (error) {
      return error.code;
    }
  };
  const status = (file) => {
    const { uid, mode } = statSync(file);
    return { uid, mode: (mode & 0o777).toString(8) };
  };
  // Version 2 of control groups, or version 1.
  const limit = (...files) => {
    const file = files.map((name) => `/sys/fs/cgroup/${name}`).find((name) => existsSync(name));
    return file === undefined ? 'unknown' : readFileSync(file, 'utf8').trim();
  };
  const [quota, period] = limit('cpu.max', 'cpu/cpu.cfs_quota_us').split(' ');
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
  return {
    processes: processes.map((pid) => {
      const text = readFileSync(`/proc/${pid}/status`, 'utf8');
      const field = (name) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text)?.[1] ?? '';
      const capabilities = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => Number(`0x${field(name)}`));
      return {
        uid: field('Uid'),
        capabilities: capabilities.reduce((sum, set) => sum + set, 0),
        noNewPrivileges: field('NoNewPrivs') === '1',
      };
    }),
    limits: {
      memoryMiB: Number(limit('memory.max', 'memory/memory.limit_in_bytes')) / 1_048_576,
      pids: Number(limit('pids.max', 'pids/pids.max')),
      cpus: Number(quota) / Number(period ?? limit('cpu/cpu.cfs_period_us')),
      core: /^Max core file size\s+(\S+)\s+(\S+)/m.exec(readFileSync('/proc/1/limits', 'utf8'))?.slice(1).join(' '),
    },
    tools: ['npm', 'npx', 'corepack', 'yarn'].filter((name) =>
      process.env.PATH.split(':').some((directory) => existsSync(`${directory}/${name}`)),
    ),
    firstProcess: readFileSync('/proc/1/comm', 'utf8').trim(),
    root: attempt('/sealwire-test'),
    app: attempt('/app/sealwire-test'),
    tmp: attempt('/tmp/sealwire-test'),
    keys: attempt('/keys/sealwire-test'),
    directory: status('/keys'),
    keyFile: status('/keys/aes_key.bin'),
  };
}

/**
 * What a service can do, as seen from the inside of its container.
 *
 * @param {import('./trial.mjs').Trial} trial
 * @param {string} service
 * @param {'written' | 'EROFS'} besideKey - how an attempt to write beside the key ends
 */
export async function checkConfinement({ stack, checks }, service, besideKey) {
  const seen = await readConfinement(stack, service);
  const { processes } = seen;
  await checks.check(`the ${service} runs as uid 1000, under an init process`, async () => {
    expectTrue(
      `processes ${JSON.stringify(processes)}`,
      processes.every(({ uid }) => uid === '1000'),
    );
    expectTrue(`process 1 is ${seen.firstProcess}`, seen.firstProcess.includes('init'));
  });
  await checks.check(`the ${service} has no capabilities and gains none`, async () => {
    const isBare = ({ capabilities, noNewPrivileges }) => capabilities === 0 && noNewPrivileges;
    expectTrue(`processes ${JSON.stringify(processes)}`, processes.every(isBare));
  });
  await checks.check(`the ${service} has limits of memory, processes and cores, and leaves no core dump`, async () =>
    expectEqual('limits', seen.limits, { memoryMiB: 512, pids: 128, cpus: 1, core: '0 0' }),
  );
  await checks.check(`the ${service} has no npm, nor another package manager`, async () =>
    expectEqual('found', seen.tools, []),
  );
  await checks.check(`the ${service} has a read-only root, and a /tmp`, async () => {
    const { root, app, tmp } = seen;
    expectEqual('written to', { root, app, tmp }, { root: 'EROFS', app: 'EROFS', tmp: 'written' });
  });
  await checks.check(`the ${service} finds the key with mode 0600 in a directory with mode 0700`, async () => {
    const { directory, keyFile } = seen;
    const wanted = { directory: { uid: 1000, mode: '700' }, keyFile: { uid: 1000, mode: '600' } };
    expectEqual('found', { directory, keyFile }, wanted);
  });
  await checks.check(`the ${service} ${besideKey === 'written' ? 'can' : 'cannot'} write beside the key`, async () =>
    expectEqual('written to /keys', seen.keys, besideKey),
  );
}

/** @param {import('./stack.mjs').Stack} stack */
async function readConfinement(stack, service) {
  const program = `console.log(JSON.stringify((${String(report)})()))`;
  const printed = await stack.run(['exec', '-T', service, 'node', '-e', program]);
  try {
    return JSON.parse(printed);
  } catch {
    throw new Failure(`The container of the ${service} printed no JSON: ${printed}`);
  }
}
