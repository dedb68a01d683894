// Package kith holds the words every other package speaks: the names of
// applications, units, endpoints and relations, the states they pass through,
// and the one error type that crosses every boundary.
//
// A name typed here is valid from the moment it exists: [ParseAppName],
// [ParseUnitName] and [ParseEndpoint] are the only ways to make one from
// outside input, and nothing later checks it again. The grammar is Juju's
// (charm format reference, section 19).
//
// An [Error] carries a [Code] for machines, a sentence for people and, when we
// know it, a hint that says what to do next. Codes survive the network; match
// on them with [CodeOf] and never on text.
//
// The package does no I/O, holds no interfaces and imports nothing but the
// standard library.
package kith
