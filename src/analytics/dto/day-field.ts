import { ValidateBy } from 'class-validator';

/** A field or query parameter holding a day that exists, as 2026-01-31, of the years 2000 to 2199. */
export function DayField(): PropertyDecorator {
  return ValidateBy({
    name: 'day',
    validator: {
      validate: isDay,
      defaultMessage: () => '$property must be a day such as 2026-01-31, of the years 2000 to 2199',
    },
  });
}

function isDay(value: unknown): boolean {
  if (typeof value !== 'string' || !/^2[01]\d\d-\d\d-\d\d$/.test(value)) return false;
  const instant = Date.parse(value);
  // Date rolls the 30th of February over to March.
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(value);
}
