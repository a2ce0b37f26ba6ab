/** The mark in place of what was taken out of a stranger's text; the system prompt explains it to the model. */
export const REMOVED = '[removed]';
