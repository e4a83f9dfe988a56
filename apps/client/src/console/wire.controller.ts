import type { IncomingMessage, ServerResponse } from 'node:http';

import { Controller, Get, Inject, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';

import { CallerLimits } from '../http/caller-limits.js';
import { HttpFailure } from '../http/failure/http-failure.js';
import { InFlight } from '../http/in-flight.js';
import { WireTap } from '../tap/wire-tap.js';
import { CallerGuard } from '../trigger/caller.guard.js';
import { ChannelState } from './channel-state.js';
import { DescribeWire } from './console.docs.js';
import { sendRows } from './row-stream.js';

/** The traffic on the wire, live. It needs the token like every call of the trigger. */
@ApiTags('console')
@ApiBearerAuth()
@UseGuards(CallerGuard)
@Controller('console')
export class WireController {
  constructor(
    @Inject(WireTap) private readonly tap: WireTap | null,
    @Inject(ChannelState) private readonly state: ChannelState,
    @Inject(CallerLimits) private readonly limits: CallerLimits,
    @Inject(InFlight) private readonly inFlight: InFlight,
  ) {}

  @Get('wire')
  @DescribeWire()
  async wire(@Req() { method }: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    if (method !== 'GET') {
      response.setHeader('allow', 'GET');
      throw new HttpFailure('ERR_METHOD', 'Wrong method: use GET, because a response to HEAD has no rows');
    }
    const { tap } = this;
    if (tap === null)
      throw new HttpFailure('ERR_TAP_OFF', 'The wire tap is off: set WIRE_TAP=true and restart the client app');
    const { closing } = this.inFlight;
    await this.limits.inPlace('streams', response, () =>
      sendRows({ tap, state: () => this.state.read(tap), closing }, response),
    );
  }
}
