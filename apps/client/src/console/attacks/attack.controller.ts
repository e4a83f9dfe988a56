import type { ServerResponse } from 'node:http';

import { Controller, Inject, Param, Post, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

import { settings } from '../../config/registration.js';
import type { Settings } from '../../config/settings.js';
import { CallerLimits } from '../../http/caller-limits.js';
import { HttpFailure } from '../../http/failure/http-failure.js';
import { sendJson } from '../../http/json-reply.js';
import { CallerGuard } from '../../trigger/caller.guard.js';
import { AttackPlayer } from './attack-player.js';
import { ATTACKS } from './attacks.js';
import type { AttackName } from './attacks.js';

/** The attacks of the page. They need WIRE_TAP, because they show sealed bytes, and the token like every other call. */
@ApiExcludeController()
@UseGuards(CallerGuard)
@Controller('console/attacks')
export class AttackController {
  constructor(
    @Inject(settings.KEY) private readonly config: Settings,
    @Inject(AttackPlayer) private readonly player: AttackPlayer,
    @Inject(CallerLimits) private readonly limits: CallerLimits,
  ) {}

  @Post(':name')
  async play(@Param('name') name: string, @Res() response: ServerResponse): Promise<void> {
    const { wireTap, broker } = this.config;
    if (!wireTap) throw new HttpFailure('ERR_TAP_OFF', 'The wire tap is off: set WIRE_TAP=true and start again');
    if (!isAttack(name)) throw new HttpFailure('ERR_NO_ROUTE', 'There is no such attack');
    if (broker !== undefined) {
      throw new HttpFailure(
        'ERR_BAD_REQUEST',
        'The attacks need a direct connection to the server, but SEALWIRE_BROKER is set: unset it and start again',
      );
    }
    const result = await this.limits.inPlace('calls', response, () => this.player.play(name));
    sendJson(response, JSON.stringify(result));
  }
}

function isAttack(name: string): name is AttackName {
  return Object.hasOwn(ATTACKS, name);
}
