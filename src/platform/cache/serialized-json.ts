const texts = new WeakMap<object, string>();

/** Remembers the JSON of a frozen value. */
export function rememberSerialized(value: object, text: string): void {
  texts.set(value, text);
}

/** Returns the remembered JSON of a value, which saves serializing it again; undefined when there is none. */
export function serializedJson(value: object): string | undefined {
  return texts.get(value);
}
