import { writeFileSync } from 'node:fs';
import { envExample } from '../platform/config/settings';

writeFileSync('.env.example', envExample());
