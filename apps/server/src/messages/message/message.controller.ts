import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { SealwireContext } from '@sealwire/transport';

import { messageSchema } from './message.schema.js';
import type { Message } from './message.schema.js';
import { MessageService } from './message.service.js';
import type { Receipt } from './message.service.js';

/** `message`: prints the text and answers with a receipt. */
@Controller()
export class MessageController {
  constructor(@Inject(MessageService) private readonly messages: MessageService) {}

  @MessagePattern('message')
  receive(@Payload({ schema: messageSchema }) message: Message, @Ctx() context: SealwireContext): Receipt {
    return this.messages.receive(message.text, context.getKeyId(), context.getSealedRecord());
  }
}
