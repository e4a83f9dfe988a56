// docker-compose.observability.yml as Compose reads it. Its images are not pulled.
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { compose } from './stack.js';

const FILE = fileURLToPath(new URL('../../docker-compose.observability.yml', import.meta.url));

describe('docker-compose.observability.yml', () => {
  it('is accepted by Compose next to docker-compose.yml', async () => {
    const services = (await compose(['-f', FILE, 'config', '--services'])).trim().split('\n');
    expect(new Set(services)).toEqual(new Set(['server', 'client', 'prometheus', 'grafana']));
  });
});
