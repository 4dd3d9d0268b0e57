/** What kcptun takes for a key when none is given, typing error included: everybody knows it. */
export const defaultKey = "it's a secrect";
