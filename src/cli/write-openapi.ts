import { mkdirSync, writeFileSync } from 'node:fs';
import { AppModule } from '../app.module';
import { reportFatal } from '../platform/logging/logger';
import { writeOpenApiContract } from '../platform/http/openapi/document';

writeOpenApiContract(AppModule).then((contract) => {
  mkdirSync('test/contract', { recursive: true });
  writeFileSync('test/contract/openapi.json', contract);
}, reportFatal);
