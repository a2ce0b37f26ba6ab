/** The body of an action that says all by its address: `{}` or none. */
export class NoFieldsDto {}
