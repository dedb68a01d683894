// Package hooktool says what each hook tool means: relation-get, status-set and the
// others, as functions over one hook run.
//
// A [Run] is one run of one hook. It holds what the charm may see, which does not
// change while the hook runs, and what the charm has written so far, which commits
// with the hook or not at all ([Run.Effects]). [Run.Exec] makes one call. What a run
// needs from outside it asks of its [Host]: live reads with the unit's identity,
// the writes that take effect at once, the caller's files, the log.
//
// What is promised, with the section of the hook protocol reference that says so:
//
//   - Output, error texts and exit statuses are Juju's to the byte (sections 6 to 10,
//     14). The first line of standard error is Juju's; a hint of ours may follow it.
//   - A call that fails changes nothing and prints nothing on standard output (6.2).
//   - Relation settings, ports and charm state are buffered, and a later call in the
//     same run sees them; statuses, the workload version, leader settings and log
//     records take effect at once (15).
//   - What an action sets, and why it fails, is kept however it ends ([Run.Outcome], 3.6).
//   - A databag is read at most once in a run, so a charm sees one version of it (7.1).
//   - Standard input is asked for only by a call that names it, before it did
//     anything (6.1).
//   - "No" to is-leader stays "no" for the rest of the run; "yes" is asked for anew
//     each time (relations reference, section 7).
//
// What is not done here: who may read which bag is decided by the controller, and
// what a commit may contain by core; this package only repeats the checks that
// Juju's tools make themselves. Databag size is checked as far as a run can know it.
//
// The package is pure: it reads no clock and no file, starts nothing and locks
// nothing. A Run is not safe for concurrent use; one tool call at a time is served
// per hook.
//
// A new tool is one function and one row in the table of table.go.
package hooktool
