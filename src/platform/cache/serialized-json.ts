const texts = new WeakMap<object, string>();

/** Notes the JSON of a value that never changes again. */
export function rememberSerialized(value: object, text: string): void {
  texts.set(value, text);
}

/** The noted JSON of a value, which an answer need not write anew; undefined for what nobody noted. */
export function serializedJson(value: object): string | undefined {
  return texts.get(value);
}
