import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { z } from 'zod';

import { MessageLog } from '../message-log.js';

const noticeSchema = z.object({ text: z.string() });

type Notice = z.infer<typeof noticeSchema>;

/** `notice`: an event, which has no answer. */
@Controller()
export class NoticeController {
  constructor(@Inject(MessageLog) private readonly log: MessageLog) {}

  @EventPattern('notice')
  note(@Payload({ schema: noticeSchema }) { text }: Notice): void {
    this.log.text(text, 'Notice');
  }
}
