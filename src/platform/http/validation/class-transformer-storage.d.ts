/** The decorators' own storage: published by class-transformer without a declaration beside it. */
declare module 'class-transformer/cjs/storage' {
  export { defaultMetadataStorage } from 'class-transformer/types/storage';
}
