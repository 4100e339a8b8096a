/** An error in what was asked for, not in what happened: exit 2. */
export class UsageError extends Error {}
