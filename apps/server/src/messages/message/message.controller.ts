import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { SealwireContext } from '@sealwire/transport';
import { LegacyContext } from '@sealwire/transport/legacy';

import { messageSchema } from './message.schema.js';
import type { Message } from './message.schema.js';
import { MessageService } from './message.service.js';
import type { Receipt } from './message.service.js';

/** `message`: prints the text and answers with a receipt. */
@Controller()
export class MessageController {
  constructor(@Inject(MessageService) private readonly messages: MessageService) {}

  @MessagePattern('message')
  receive(
    @Payload({ schema: messageSchema }) { text }: Message,
    @Ctx() context: SealwireContext | LegacyContext,
  ): Receipt {
    const keyId = context.getKeyId();
    return context instanceof LegacyContext
      ? this.messages.receiveLegacy(text, keyId, context.getCiphertext(), context.getRemoteAddress())
      : this.messages.receive(text, keyId, context.getSealedRecord());
  }
}
