// npm installs no optional peer. What needs one fails, and names the package to install.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { before, test } from 'node:test';
import { createKeyFile } from '@sealwire/crypto';

const NEEDED_BY_MODULE = {
  '@sealwire/transport/metrics': 'prom-client',
  '@sealwire/transport/terminus': '@nestjs/terminus',
  '@sealwire/transport/tracing': '@opentelemetry/api',
};
const NEEDED_BY_CLASS = {
  SealedKafkaClient: 'kafkajs',
  SealedMqttServer: 'mqtt',
  SealedNatsClient: '@nats-io/transport-node',
  SealedNatsServer: '@nats-io/transport-node',
  SealedRedisClient: 'ioredis',
  SealedRmqServer: 'amqplib',
};

before(() => createKeyFile('aes_key.bin'));

for (const name of [
  '@sealwire/brokers',
  '@sealwire/crypto/nest',
  '@sealwire/transport',
  '@sealwire/transport/legacy',
]) {
  void test(`${name} needs no optional peer`, () => import(name));
}

for (const [name, peer] of Object.entries(NEEDED_BY_MODULE)) {
  void test(`${name} asks for ${peer}`, async () => {
    await assert.rejects(import(name), { code: 'ERR_MODULE_NOT_FOUND', message: new RegExp(`package '${peer}'`) });
  });
}

for (const [name, peer] of Object.entries(NEEDED_BY_CLASS)) {
  void test(`${name} asks for ${peer}`, async () => {
    const { code, output } = await run('connect.js', name);
    assert.equal(code, 1);
    // The text is Nest's, which then ends the process.
    assert.ok(output.includes(`The "${peer}" package is missing. Please, make sure to install it`), output);
  });
}

function run(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, output: stdout + stderr });
    });
  });
}
