import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { SealedNatsContext } from '@sealwire/brokers';
import { SealwireContext } from '@sealwire/transport';
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
    @Ctx() context: SealwireContext | SealedNatsContext | LegacyContext,
  ): Receipt {
    if (context instanceof LegacyContext) {
      return this.messages.receiveLegacy(text, context.getKeyId(), context.getCiphertext(), context.getRemoteAddress());
    }
    const sealed = context instanceof SealwireContext ? context.getSealedRecord() : context.getEnvelope();
    return this.messages.receive(text, context.getPeer().keyId, sealed);
  }
}
