// Runs inside of a container, as text: prints as JSON what a process there can do, and what the processes there are.
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';

function attempt(file) {
  try {
    writeFileSync(file, '', { flag: 'wx' });
    rmSync(file);
    return 'written';
  } catch (error) {
    return error.code;
  }
}

function status(file) {
  const { uid, mode } = statSync(file);
  return { uid, mode: (mode & 0o777).toString(8) };
}

// Version 2 of control groups, or version 1.
function limit(...files) {
  const file = files.map((name) => `/sys/fs/cgroup/${name}`).find((name) => existsSync(name));
  return file === undefined ? 'unknown' : readFileSync(file, 'utf8').trim();
}

function describeProcess(pid) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text)?.[1] ?? '';
  const capabilities = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((name) => Number(`0x${field(name)}`));
  return {
    uid: field('Uid'),
    capabilities: capabilities.reduce((sum, set) => sum + set, 0),
    noNewPrivileges: field('NoNewPrivs') === '1',
  };
}

const [quota, period] = limit('cpu.max', 'cpu/cpu.cfs_quota_us').split(' ');
const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== String(process.pid));
const report = {
  processes: pids.map(describeProcess),
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
  written: Object.fromEntries(['/', '/app', '/tmp', '/keys'].map((path) => [path, attempt(`${path}/sealwire-test`)])),
  directory: status('/keys'),
  keyFile: status('/keys/aes_key.bin'),
};
console.log(JSON.stringify(report));
