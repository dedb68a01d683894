// Package logs keeps the logs of models: append-only segment files of NDJSON,
// one folder a model, each record an api.LogRecord.
//
// A log is not state: it is not synced, and what a crash tears off at its end is
// dropped when it is opened again. It never grows past its bound; when it would,
// the oldest segment goes. Who writes more than a log can take in good order (see
// [Limits]) loses records, and the log says so, once when it begins and with the
// numbers when it is over: a hook that prints a gigabyte fills neither the disk
// nor everybody else's log.
//
// Readers follow without polling. One that is overtaken by the removal of old
// segments goes on with what is there, after a record that says so.
package logs
