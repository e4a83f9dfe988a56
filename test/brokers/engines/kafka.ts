// The mock broker of librdkafka, which kcat starts. It chooses its port and keeps no store, so it cannot be restarted.
import { EngineRun } from './engine.js';

export const KCAT = { program: 'kcat', aptPackage: 'kcat' } as const;

export interface KafkaMock {
  /** The bootstrap address: `127.0.0.1:port`. */
  readonly address: string;
  stop(): Promise<void>;
}

/** @param topic - Exists from the start. Others begin to exist when a client asks for them. */
export async function startKafkaMock(topic = 'none'): Promise<KafkaMock> {
  // A producer that waits for its input, which never comes.
  const args = ['-b', 'none', '-X', 'test.mock.num.brokers=1', '-X', 'debug=mock', '-P', '-t', topic];
  const run = new EngineRun({ program: KCAT.program, args });
  const address = await run.until(() => /bootstrap\.servers=([\d.]+:\d+)/.exec(run.output)?.[1]);
  return { address, stop: () => run.end('SIGKILL') };
}
