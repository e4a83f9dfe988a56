// Starts a server or connects a client of @sealwire/brokers, named by its class.
import 'reflect-metadata';

const [, , name] = process.argv;
const { [name]: End } = await import('@sealwire/brokers');
const end = new End({ seal: { keyFile: 'aes_key.bin', service: 'sums' } });
if ('listen' in end) end.listen((error) => console.error(error));
else await end.connect();
