import { Controller, Module } from '@nestjs/common';
import { MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { CryptoModule } from '@sealwire/crypto/nest';
import { SealwireModule } from '@sealwire/transport';

@Controller()
export class AppController {
  @MessagePattern('sum')
  sum(@Payload() terms: number[]): number {
    return terms.reduce((sum, term) => sum + term, 0);
  }

  @MessagePattern('echo')
  echo(@Payload() value: unknown): unknown {
    return value;
  }

  @MessagePattern('refuse')
  refuse(): never {
    throw new RpcException({ statusCode: 404, message: 'no such order' });
  }
}

@Module({
  imports: [
    CryptoModule.forRoot({ keyFile: 'aes_key.bin', generate: true }),
    SealwireModule.register({ name: 'SUMS', keyFile: 'aes_key.bin' }),
  ],
  controllers: [AppController],
})
export class AppModule {}
