import { Module } from '@nestjs/common';
import { CryptoModule } from '@sealwire/crypto/nest';
import { SealwireModule } from '@sealwire/transport';
import { AppController } from './app.controller';
import { AppService } from './app.service';
import { SumsController } from './sums.controller';

const keyFile = 'aes_key.bin';

@Module({
  imports: [CryptoModule.forRoot({ keyFile }), SealwireModule.register({ name: 'SUMS', path: 'sums.sock', keyFile })],
  controllers: [AppController, SumsController],
  providers: [AppService],
})
export class AppModule {}
