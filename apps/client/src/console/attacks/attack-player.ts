import { Inject, Injectable } from '@nestjs/common';
import type { KeySource } from '@sealwire/crypto';
import { KEYRING } from '@sealwire/crypto/nest';

import { directOptions } from '../../channel/channel-options.js';
import { settings } from '../../config/registration.js';
import type { Settings } from '../../config/settings.js';
import { HttpFailure } from '../../http/failure/http-failure.js';
import { afterwardsFact, beforeFact, serverFact } from './attack-result.js';
import type { AttackResult } from './attack-result.js';
import { AttackedClient } from './attacked-client.js';
import { ATTACKS } from './attacks.js';
import type { AttackName } from './attacks.js';
import { echo } from './echo.js';

/** Plays attacks on a connection of its own to the first server, one at a time. */
@Injectable()
export class AttackPlayer {
  #isPlaying = false;

  constructor(
    @Inject(settings.KEY) private readonly config: Settings,
    @Inject(KEYRING) private readonly keyring: KeySource,
  ) {}

  /** @throws {TransportError} There is no server to attack. */
  async play(attack: AttackName): Promise<AttackResult> {
    if (this.#isPlaying) throw new HttpFailure('ERR_BUSY', 'An attack is being played; try again later');
    this.#isPlaying = true;
    const client = new AttackedClient(this.#options());
    try {
      await client.connect();
      const before = beforeFact(await echo(client));
      const { ending, facts } = await ATTACKS[attack](client);
      const after = afterwardsFact(await echo(client));
      const isRefused = ending.how !== 'none' && ending.bytes === 0;
      return { attack, isRefused, facts: [before, ...facts, serverFact(ending), after] };
    } finally {
      this.#isPlaying = false;
      await client.close();
    }
  }

  #options() {
    const { server } = this.config;
    const [first = { host: '127.0.0.1', port: 8080 }] = 'servers' in server ? server.servers : [server];
    return directOptions({ ...this.config, server: first }, this.keyring);
  }
}
