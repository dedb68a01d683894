// Package contract says what an interface means: which keys each side of a
// relation writes into which databag, how they are encoded, and what they may hold.
// It reads such contracts, from a form of its own and from the forms public
// catalogues have them in, and checks relation data against them.
//
// What it promises. Everything here is a pure function from values to values:
// no file is opened, nothing is fetched, and the same input gives the same answer
// in the same order. A compiled [Checker] is never changed and may be used by
// many at once. The JSON form of every exported type is stable.
//
// A contract is hostile until proved otherwise. References are written out when a
// contract is read, within [MaxSchemaNodes] and [MaxSchemaDepth]; recursive and remote
// references are refused; patterns are those of package regexp, which takes linear
// time. Before a value is checked the work it can cause is bounded by [MaxWork];
// a value beyond that is reported as not checked, never as wrong.
//
// What is not understood is never guessed. An importer marks such a key or bag
// "not checked" and says why in a [Note]; checks then let any value pass.
//
// Every bag starts empty, so validity is a [State], not a boolean: a bag is absent,
// partial, valid or violating. Only the last means that somebody made a mistake.
//
//	c, err := contract.Parse("postgresql_client.yaml", text)
//	checker, err := c.Compile()
//	verdict := checker.CheckBag(kith.Provider, contract.AppBag, bag)
//
// What it does not do: it knows no model, no relation and no charm. Who may write a
// bag, and what happens to a violation, is for those who call it.
package contract
