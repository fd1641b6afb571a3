/** What a translation of the English catalogue has to have: the same areas and keys, plurals as its language needs them. */

export type Plural = Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>
export type Texts = Readonly<Record<string, string | Plural>>
export type Translated<T extends Texts> = { readonly [K in keyof T]: T[K] extends string ? string : Plural }
export type Catalogue<A extends Record<string, Texts>> = { readonly [K in keyof A]: Translated<A[K]> }
