import { mkdirSync, writeFileSync } from 'node:fs';
import { AppModule } from '../app.module';
import { reportFatal } from '../platform/logging/logger';
import { openapiContract } from '../platform/http/openapi/document';

openapiContract(AppModule).then((contract) => {
  mkdirSync('test/contract', { recursive: true });
  writeFileSync('test/contract/openapi.json', contract);
}, reportFatal);
