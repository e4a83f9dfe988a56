import { Logger } from '@nestjs/common';

// The files of a worker share Nest's logger, and an app that did not start leaves its buffer attached.
Logger.detachBuffer();
