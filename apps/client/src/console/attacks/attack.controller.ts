import type { ServerResponse } from 'node:http';

import { Controller, Inject, Param, Post, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { settings } from '../../config/registration.js';
import type { Settings } from '../../config/settings.js';
import { CallerLimits } from '../../http/caller-limits.js';
import { HttpFailure } from '../../http/failure/http-failure.js';
import { sendJson } from '../../http/json-reply.js';
import { CallerGuard } from '../../trigger/caller.guard.js';
import { DescribeAttack } from '../console.docs.js';
import { AttackPlayer } from './attack-player.js';
import { ATTACK_NAMES } from './attack-stage.js';
import type { AttackName } from './attack-stage.js';

/** The attacks of the page. They need WIRE_TAP, because they show sealed bytes, and the token as every other call does. */
@ApiTags('console')
@ApiBearerAuth()
@UseGuards(CallerGuard)
@Controller('console/attacks')
export class AttackController {
  constructor(
    @Inject(settings.KEY) private readonly config: Settings,
    @Inject(AttackPlayer) private readonly player: AttackPlayer,
    @Inject(CallerLimits) private readonly limits: CallerLimits,
  ) {}

  @Post(':name')
  @DescribeAttack()
  async play(@Param('name') name: string, @Res() response: ServerResponse): Promise<void> {
    if (!this.config.wireTap)
      throw new HttpFailure('ERR_TAP_OFF', 'The wire tap is off: set WIRE_TAP=true and restart the client app');
    if (!isAttack(name))
      throw new HttpFailure('ERR_NO_ROUTE', `There is no such attack; choose one of ${ATTACK_NAMES.join(', ')}`);
    const result = await this.limits.inPlace('calls', response, () => this.player.play(name));
    sendJson(response, JSON.stringify(result));
  }
}

function isAttack(name: string): name is AttackName {
  return ATTACK_NAMES.some((known) => known === name);
}
