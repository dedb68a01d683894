// Package dispatch runs a charm's events as processes: it finds what to run for a hook or
// an action, makes its environment, serves its tools on a socket, turns what it prints
// into log records, and keeps the process of a charm that stays ([Runner]).
//
// What it promises to who runs the events of one unit one after the other:
//
//   - D1: [Runner.Run] returns when the event is over: when its process has ended, or
//     when a process that stays has said so. An event that a process which stays has not
//     begun, because it was dead by then, is given to a new process.
//   - D2: all a charm printed during an event has been passed on when Run returns. What it
//     prints between events goes elsewhere.
//   - D3: no process of an earlier event runs beside one that begins, except daemons.
//   - D4: the tools of an event can be called while it runs, and not before or after.
//
// It knows no controller and no store: what a tool call means is the caller's affair. The
// agent (internal/agent) and tests of charms (ops/opstest) run charms with it.
// See docs/design/agent.md and docs/design/resident.md.
package dispatch
