// Package api holds the shapes that cross the controller's socket: paths,
// requests, replies, stream messages and the table of commands. Client and
// server share them, so no shape is defined twice.
//
// Every change of a model is one command of package core: POST
// [CommandPath] with the op's JSON as the body, answered by a [CommandReply]
// once it is durable. Reads are GETs and see the newest durable revision.
// Streams are NDJSON: one JSON value a line, first how things are, then what
// changes. A stream that cannot keep up ends with a [StreamEnd] that says so;
// the reader starts again and gets a fresh picture.
//
// Errors are the JSON of [kith.Error] under the HTTP status its code stands
// for; the code survives the network.
//
// [StatusOf], [ShowUnitOf] and the like build what people look at from a model.
// They are pure: a renderer needs nothing else. Their lists are in natural
// order of name (web/2 before web/10).
package api
