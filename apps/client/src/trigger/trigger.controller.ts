import type { IncomingMessage, ServerResponse } from 'node:http';

import { Controller, Get, Inject, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { lastValueFrom, takeUntil } from 'rxjs';
import type { MonoTypeOperatorFunction } from 'rxjs';

import { CallerLimits } from '../http/caller-limits.js';
import { HttpFailure } from '../http/failure/http-failure.js';
import { InFlight } from '../http/in-flight.js';
import { jsonReply, sendJson, sendReply, valueReply } from '../http/json-reply.js';
import type { Reply } from '../http/json-reply.js';
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

/** Converts HTTP calls to messages. The pattern in the path can name any handler of the server. */
@ApiTags('trigger')
@ApiBearerAuth()
@UseGuards(CallerGuard)
@Controller()
export class TriggerController {
  constructor(
    @Inject(TriggerService) private readonly trigger: TriggerService,
    @Inject(TrafficLog) private readonly log: TrafficLog,
    @Inject(InFlight) private readonly inFlight: InFlight,
    @Inject(CallerLimits) private readonly limits: CallerLimits,
  ) {}

  @Post('messages')
  @DescribeMessages()
  async message(@Query() query: unknown, @MessageBody() body: unknown, @Res() response: ServerResponse): Promise<void> {
    const { timeout } = parseEmitQuery(query);
    const message = parseMessage(body);
    this.log.sending(message.text);
    const receipts = this.trigger.send('message', message).pipe(whileOpen(response), this.completeWithin(timeout));
    await this.limits.inPlace('calls', response, async () => {
      const receipt = await lastValueFrom(receipts, { defaultValue: undefined });
      this.log.receipt(receipt);
      this.answer(response, valueReply(receipt));
    });
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
    await this.limits.inPlace('calls', response, async () => {
      if (all) {
        const hold = (bytes: number): void => this.limits.holdAnswer(response, bytes);
        sendReply(response, jsonReply(await lastValueFrom(values.pipe(toJsonArray(hold)))));
      } else {
        this.answer(response, valueReply(await lastValueFrom(values, { defaultValue: undefined })));
      }
    });
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
    await this.limits.inPlace('calls', response, () => lastValueFrom(accepted, { defaultValue: undefined }));
    sendJson(response, '{"accepted":true}', 202);
  }

  @Get('stream/:pattern')
  @DescribeStream()
  async stream(
    @Param('pattern') pattern: string,
    @Query() query: unknown,
    @Req() { method, headers }: IncomingMessage,
    @Res() response: ServerResponse,
  ): Promise<void> {
    if (method !== 'GET') {
      response.setHeader('allow', 'GET');
      throw new HttpFailure('ERR_METHOD', 'Wrong method: use GET, because a response to HEAD has no values');
    }
    const { data, timeout } = parseStreamQuery(query);
    if (headers['last-event-id'] !== undefined) {
      // An EventSource reconnects after every end. A 204 stops it, so that the handler does not run again.
      response.writeHead(204, { 'cache-control': 'no-store' }).end();
      return;
    }
    const values = this.trigger
      .send(parsePattern(pattern), data)
      .pipe(takeUntil(this.inFlight.closing), beginWithin(timeout));
    await this.limits.inPlace('streams', response, () => sendEvents(values, response, this.limits));
  }

  private answer(response: ServerResponse, reply: Reply): void {
    this.limits.holdAnswer(response, reply.bytes.length);
    sendReply(response, reply);
  }

  /** Fails unless the answer is complete before the deadline of the call and of a shutdown. */
  private completeWithin<T>(milliseconds: number): MonoTypeOperatorFunction<T> {
    return (values) => values.pipe(takeUntil(this.inFlight.overdue), completeWithin(milliseconds));
  }
}
