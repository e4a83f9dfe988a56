import type { IncomingMessage, ServerResponse } from 'node:http';

import { Controller, Get, Inject, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { lastValueFrom, takeUntil } from 'rxjs';
import type { MonoTypeOperatorFunction } from 'rxjs';

import { HttpFailure } from '../http/http-failure.js';
import { InFlight } from '../http/in-flight.js';
import { sendJson, sendValue } from '../http/json-reply.js';
import { beginWithin, completeWithin, toJsonArray, whileOpen } from './answer.js';
import { MessageBody } from './body.pipe.js';
import { parseMessage } from './body.js';
import { CallerGuard } from './caller.guard.js';
import { sendEvents } from './event-stream.js';
import { parsePattern } from './pattern.js';
import { parseEmitQuery, parseSendQuery, parseStreamQuery } from './query.js';
import { TrafficLog } from './traffic-log.js';
import { DescribeEmit, DescribeMessages, DescribeSend, DescribeStream } from './trigger.docs.js';
import { TriggerService } from './trigger.service.js';

/** HTTP to messages: any handler of the server is reached by its pattern, without a change here. */
@ApiTags('trigger')
@ApiBearerAuth()
@UseGuards(CallerGuard)
@Controller()
export class TriggerController {
  constructor(
    @Inject(TriggerService) private readonly trigger: TriggerService,
    @Inject(TrafficLog) private readonly log: TrafficLog,
    @Inject(InFlight) private readonly inFlight: InFlight,
  ) {}

  @Post('messages')
  @DescribeMessages()
  async message(@Query() query: unknown, @MessageBody() body: unknown, @Res() response: ServerResponse): Promise<void> {
    const { timeout } = parseEmitQuery(query);
    const message = parseMessage(body);
    this.log.sending(message.text);
    const receipts = this.trigger.send('message', message).pipe(whileOpen(response), this.completeWithin(timeout));
    const receipt = await lastValueFrom(receipts, { defaultValue: undefined });
    this.log.receipt(receipt);
    sendValue(response, receipt);
  }

  @Post('send/:pattern')
  @DescribeSend()
  async send(
    @Param('pattern') pattern: string,
    @Query() query: unknown,
    @MessageBody() data: unknown,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const { all, timeout } = parseSendQuery(query);
    const values = this.trigger
      .send(parsePattern(pattern), data)
      .pipe(whileOpen(response), this.completeWithin(timeout));
    if (all) sendJson(response, await lastValueFrom(values.pipe(toJsonArray())));
    else sendValue(response, await lastValueFrom(values, { defaultValue: undefined }));
  }

  @Post('emit/:pattern')
  @DescribeEmit()
  async emit(
    @Param('pattern') pattern: string,
    @Query() query: unknown,
    @MessageBody() data: unknown,
    @Res() response: ServerResponse,
  ): Promise<void> {
    const { timeout } = parseEmitQuery(query);
    const accepted = this.trigger.emit(parsePattern(pattern), data).pipe(this.completeWithin(timeout));
    await lastValueFrom(accepted, { defaultValue: undefined });
    sendJson(response, '{"accepted":true}', 202);
  }

  @Get('stream/:pattern')
  @DescribeStream()
  async stream(
    @Param('pattern') pattern: string,
    @Query() query: unknown,
    @Req() { method }: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    if (method !== 'GET') throw new HttpFailure('ERR_METHOD', 'A stream is got: nothing would read it here');
    const { data, timeout } = parseStreamQuery(query);
    const values = this.trigger.send(parsePattern(pattern), data);
    await sendEvents(values.pipe(takeUntil(this.inFlight.closing), beginWithin(timeout)), response);
  }

  /** In time for its caller, and for a shutdown. */
  private completeWithin<T>(milliseconds: number): MonoTypeOperatorFunction<T> {
    return (values) => values.pipe(takeUntil(this.inFlight.overdue), completeWithin(milliseconds));
  }
}
