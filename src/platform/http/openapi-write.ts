import { mkdirSync, writeFileSync } from 'node:fs';
import { AppModule } from '../../app.module';
import { reportFatal } from '../logging/report-fatal';
import { openapiContract } from './openapi-contract';

openapiContract(AppModule).then((contract) => {
  mkdirSync('test/contract', { recursive: true });
  writeFileSync('test/contract/openapi.json', contract);
}, reportFatal);
