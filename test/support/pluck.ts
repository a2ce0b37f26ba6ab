/** One field of each item of a list that came as JSON. */
export function pluck<Value = unknown>(items: unknown, field: string): Value[] {
  return (items as Record<string, Value>[]).map((item) => item[field]!);
}
