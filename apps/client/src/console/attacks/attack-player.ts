import { Inject, Injectable } from '@nestjs/common';
import type { KeySource } from '@sealwire/crypto';
import { KEYRING } from '@sealwire/crypto/nest';

import { settings } from '../../config/registration.js';
import type { Settings } from '../../config/settings.js';
import { HttpFailure } from '../../http/failure/http-failure.js';
import { afterwardsFact, beforeFact } from './attack-result.js';
import type { AttackResult } from './attack-result.js';
import type { AttackName, AttackStage } from './attack-stage.js';
import { BrokerStage } from './broker/broker-stage.js';
import { ConnectionStage } from './connection/connection-stage.js';
import { echo } from './echo.js';
import { countersFact, readCounters } from './server-counters.js';

/** Plays attacks, one at a time, on a connection of its own to the first server or to the broker. */
@Injectable()
export class AttackPlayer {
  #isPlaying = false;

  constructor(
    @Inject(settings.KEY) private readonly config: Settings,
    @Inject(KEYRING) private readonly keyring: KeySource,
  ) {}

  /** Rejects with the error of the channel if there is no server to attack. */
  async play(attack: AttackName): Promise<AttackResult> {
    if (this.#isPlaying) throw new HttpFailure('ERR_BUSY', 'Another attack is running; try again later');
    this.#isPlaying = true;
    try {
      return await playOn(await this.#createStage(), attack);
    } finally {
      this.#isPlaying = false;
    }
  }

  async #createStage(): Promise<AttackStage> {
    const { broker } = this.config;
    return broker === undefined
      ? ConnectionStage.create(this.config, this.keyring)
      : new BrokerStage(broker, this.config, this.keyring);
  }
}

async function playOn(stage: AttackStage, attack: AttackName): Promise<AttackResult> {
  const { client, counterCalls } = stage;
  try {
    await client.connect();
    const before = beforeFact(await echo(client));
    const countersBefore = await readCounters(client, counterCalls);
    const { isRefused, facts } = await stage.play(attack);
    const counters = countersFact(countersBefore, await readCounters(client, counterCalls), counterCalls > 1);
    const after = afterwardsFact(await echo(client));
    return { attack, isRefused, facts: [before, ...facts, counters, after] };
  } finally {
    await client.close();
  }
}
