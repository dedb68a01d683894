// Package server is HTTP over the controller. One table ([routes]) says for
// every path who may use it and what answers; a handler parses, asks the
// controller, and maps the result. The OpenAPI document is generated from the same table.
//
// Who asks is settled per request: a bearer credential says which host or unit it
// is; without one, the uid at the other end of the unix socket must be the
// controller's own (or root), and is then the operator. The rules of the databags
// are core's; this package only keeps each kind of identity to its routes, and a unit to
// its own model and its own reads.
//
// Bodies, headers and writes are bounded, and a refusal names the limit. An error
// without a code is logged in full with a reference, and only the reference goes
// out. A panic of a handler ends its request, not the server.
package server
