/** The version that the migrations lead to, told apart from them: a program that only reads needs no other. */
export const SCHEMA_VERSION = 13;
