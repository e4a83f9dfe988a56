import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Global, Inject, Injectable, Module } from '@nestjs/common';
import type { LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import type { TestingModule, TestingModuleBuilder } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createKeyFile, generateKey, Keyring, SecretKey, WatchedKeyFile } from './index.js';
import { CryptoModule, KeyFileProvider, KEYRING } from './nest.js';

let directory: string;
let keyFile: string;
const modules: TestingModule[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sealwire-'));
  keyFile = join(directory, 'aes_key.bin');
});

afterEach(async () => {
  await Promise.all(modules.splice(0).map((module) => module.close())); // they watch their key files
  rmSync(directory, { recursive: true });
});

const compile = (...imports: NonNullable<Parameters<typeof Test.createTestingModule>[0]['imports']>) =>
  started(Test.createTestingModule({ imports }).setLogger(new SilentLogger()));

async function started(builder: TestingModuleBuilder): Promise<TestingModule> {
  const module = await builder.compile();
  modules.push(module);
  return module;
}

class SilentLogger implements LoggerService {
  readonly warnings: unknown[] = [];
  log(): void {}
  error(): void {}
  warn(message: unknown): void {
    this.warnings.push(message);
  }
}

@Injectable()
class KeyUser {
  readonly keyring: Keyring;

  constructor(@Inject(KEYRING) keyring: Keyring) {
    this.keyring = keyring;
  }
}

@Module({ providers: [KeyUser] })
class FeatureModule {}

describe('CryptoModule', () => {
  it('provides the keyring of its key file', async () => {
    const id = await createKeyFile(keyFile);
    const module = await compile(CryptoModule.forRoot({ keyFile }));
    const keyring: unknown = module.get(KEYRING);
    expect(keyring).toBeInstanceOf(WatchedKeyFile);
    expect(keyring).toMatchObject({ ids: [id] });
  });

  it('takes its options from a factory', async () => {
    const id = await createKeyFile(keyFile);
    const PATH = Symbol('PATH');

    @Global()
    @Module({ providers: [{ provide: PATH, useValue: keyFile }], exports: [PATH] })
    class SettingsModule {}

    const configured = CryptoModule.forRootAsync({ inject: [PATH], useFactory: (path: string) => ({ keyFile: path }) });
    const module = await compile(SettingsModule, configured);
    expect(module.get(KEYRING)).toMatchObject({ ids: [id] });
  });

  it('reaches other modules when it is global', async () => {
    const id = await createKeyFile(keyFile);
    const module = await compile(CryptoModule.forRoot({ keyFile, isGlobal: true }), FeatureModule);
    expect(module.get(KeyUser, { strict: false }).keyring.ids).toEqual([id]);
    // Without a key file, which a module that cannot be created does not close.
    const local = Test.createTestingModule({ imports: [CryptoModule.forRoot({ keyFile }), FeatureModule] })
      .overrideProvider(KeyFileProvider)
      .useValue({ load: () => Promise.resolve(module.get<Keyring>(KEYRING)) });
    await expect(local.compile()).rejects.toThrow(/KEYRING/);
  });

  it('creates a missing key file with generate: true', async () => {
    const first = await compile(CryptoModule.forRoot({ keyFile, generate: true }));
    const second = await compile(CryptoModule.forRoot({ keyFile }));
    expect(second.get(KEYRING)).toMatchObject({ ids: first.get<Keyring>(KEYRING).ids });
  });

  it('stops the start of an application if the key file is missing, readable by others or weak', async () => {
    const starting = () => compile(CryptoModule.forRoot({ keyFile }));
    await expect(starting()).rejects.toMatchObject({ code: 'ERR_KEY_FILE_MISSING' });
    writeFileSync(keyFile, Buffer.alloc(32), { mode: 0o600 });
    await expect(starting()).rejects.toMatchObject({ code: 'ERR_KEY_REPEATED_BYTE' });
  });

  it('accepts keys from another source', async () => {
    const keyring = Keyring.of(SecretKey.fromBytes(generateKey()));
    const module = await started(
      Test.createTestingModule({ imports: [CryptoModule.forRoot({ keyFile })] })
        .overrideProvider(KeyFileProvider)
        .useValue({ load: () => Promise.resolve(keyring) }),
    );
    expect(module.get(KEYRING)).toBe(keyring);
  });
});

describe.skipIf(process.platform === 'win32')('CryptoModule, on systems with file modes (not on Windows)', () => {
  it('passes the policy on, and logs which checks it skips', async () => {
    writeFileSync(keyFile, generateKey(), { mode: 0o444 });
    await expect(compile(CryptoModule.forRoot({ keyFile }))).rejects.toMatchObject({ code: 'ERR_KEY_FILE_MODE' });
    const logger = new SilentLogger();
    const imports = [CryptoModule.forRoot({ keyFile, policy: 'mounted-secret' })];
    await started(Test.createTestingModule({ imports }).setLogger(logger));
    expect(logger.warnings).toEqual([expect.stringContaining('mounted-secret')]);
  });
});
