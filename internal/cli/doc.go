// Package cli is the command line: it reads arguments, calls the controller
// through internal/client, and writes what people and scripts read.
//
// What it promises. stdout carries the answer and nothing else; talk, prompts
// and errors go to stderr. A failure is a line "ERROR " and the message, Juju's
// wording where Juju has one, and below it, when we know what to do next, a line
// "hint: " (docs/design/cli.md says why in this order). The exit status is 0 for
// success, 1 for something that went wrong while running, 2 for a command that
// was not understood. JSON and YAML documents have the shapes of the CLI
// reference, section 5, and tables those of section 6.
//
// How it is built. Every command is one file, cmd_NAME.go, holding one literal
// of type command: its summary, details, examples, flags and what it runs. They
// are listed in one table, commands. [Run] finds the command, parses its flags,
// chooses controller and model, and calls it; nothing else ends the process.
//
// The package is the only one that wires the parts of kith together: the
// command up starts store, controller, server and agent (see host.go).
//
// The same program answers as juju when it is called by that name: usage lines
// then say juju, and the version is the Juju version it stands in for.
package cli
