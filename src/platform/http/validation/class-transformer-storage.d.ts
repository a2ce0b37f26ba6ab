/** The storage of the decorators, which class-transformer publishes without a declaration file. */
declare module 'class-transformer/cjs/storage' {
  export { defaultMetadataStorage } from 'class-transformer/types/storage';
}
