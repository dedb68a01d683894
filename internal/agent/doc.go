// Package agent runs the units of one host: it is told by a controller which hook
// of which unit is next, runs it as a charm process with its tools, and reports
// what came of it.
//
// A unit is a goroutine that runs its hooks one after another; units run side by
// side. [Agent.Run] keeps the connection, which says how things are and then what
// changes; nothing is decided here. What the agent promises:
//
//   - A1: a unit's hooks never overlap, also across the death of an agent: what an
//     earlier life left running is killed before the unit runs anything.
//   - A2: what a hook wrote is committed after its process exited 0, whole, and at most
//     once, however often connection, controller or agent die. It may run twice.
//   - A3: a hook that was begun is reported: committed, failed or to be run again. When
//     the controller is away the agent asks until it has an answer.
//   - A4: a hook that fails, hangs, prints a gigabyte or kills itself harms no other unit.
//     Memory and log volume per hook are bounded.
//   - A5: what a hook printed is in the model's log before its commit.
//   - A6: the charm's process sees what Juju would show it (hook protocol reference,
//     sections 3, 5 and 6.1): the environment is complete and inherits nothing.
//   - A7: when Run returns, no hook and no goroutine of it is left.
//
// The pieces: package dispatch runs processes, serves their tools' sockets and keeps
// those that stay; what the tools mean is package hooktool's. Here, each in a file,
// toolhost answers what those ask, bagcache remembers databags between hooks, unpack and archives keep the
// charm directory, leftover finds processes of an earlier life, logs delivers records.
//
// Not done here: choosing hooks (package resolve), statuses around hooks (package
// core), retry delays (core, and the controller's clock). See docs/design/agent.md.
package agent
