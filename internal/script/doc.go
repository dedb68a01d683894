// Package script drives a model from a text, so that tests read as specification:
//
//	charm web requires=db:database
//	charm db provides=server:database
//	deploy db units=2
//	deploy web
//	settle quiet
//	integrate web db
//	settle web/0
//
// A [World] holds one model in memory, a clock that only the script turns, and
// charms whose hooks do nothing but what the script tells them to. Everything else is
// real: commands go through core.Commit, resolve.Next names the steps, hooktool runs
// the tools, and core.Check runs after each command. The answer to a text is what happened, a line
// for each step:
//
//	web/0 [enters db:0]
//	web/0 db-relation-created app=db
//	web/0 db-relation-joined unit=db/0
//
// A line with an error of the model, such as a refused integrate, answers
// "error: MESSAGE" and the script goes on. A line that is not understood ends it.
//
// # Commands
//
// The model, as an operator changes it:
//
//	model-config KEY=VALUE...
//	charm NAME [subordinate] [provides=EP,...] [requires=EP,...] [peers=EP,...] [options=NAME,...] [actions=ACTION,...]
//	    [storage=STORAGE,...] [resources=NAME[:image],...]
//	    EP is NAME:INTERFACE, with :container, :optional or :limit=N after it; a second
//	    charm of the same name is what the next deploy or refresh uses;
//	    STORAGE is NAME, with :min=N, :max=N (-1: no bound), :size=MIB, :location=PATH, :block, :shared or :read-only after it;
//	    ACTION is NAME, with :parallel, :group=G, :needs=KEY or :default=KEY after it
//	deploy APP [CHARM] [units=N] [host=HOST] [storage:NAME=DIRECTIVE...] [attach=ID,...] [resource:NAME=CONTENT...]
//	add-unit APP [units=N] [host=HOST] [attach=ID,...]
//	remove-unit UNIT... [force] [destroy-storage]
//	remove-application APP... [force] [destroy-storage]
//	integrate APP[:ENDPOINT] APP[:ENDPOINT]
//	remove-relation ID | APP[:ENDPOINT] [APP[:ENDPOINT]] [force] [wait=DURATION]
//	suspend ID...       (forced: Juju has it for cross-model relations only)
//	resume ID...
//	config APP KEY=VALUE...
//	refresh APP [CHARM] [force] [storage:NAME=DIRECTIVE...] [resource:NAME=CONTENT...]
//	resolved UNIT... [no-retry]
//	run UNIT... ACTION [KEY=VALUE...]
//	command [UNIT...] [app=APP] [machine=ID] [all] [serial] [group=G] [relation=ID] [remote=UNIT] [force]
//	cancel TASK...      one that runs is aborted when it is killed
//	attach-resource APP NAME=CONTENT
//	destroy-model [force] [destroy-storage] [release-storage]
//	add-storage UNIT NAME[=DIRECTIVE]...; attach-storage UNIT ID...
//	detach-storage ID [force]; remove-storage ID [force] [no-destroy]
//	add-secret NAME KEY=VALUE...; update-secret SECRET [name=NAME] [prune] KEY=VALUE...
//	grant-secret SECRET APP...; revoke-secret SECRET APP...; remove-secret SECRET [revision=N]
//	contract add YAML; contract remove INTERFACE      YAML is the whole contract in a line
//	contract mode off|warn|enforce [APP:ENDPOINT]
//
// What charms do (HOOK is actions/NAME for an action, juju-exec for a command):
//
//	on UNIT HOOK: TOOL ARGUMENT...[; TOOL ...]    UNIT and HOOK may hold * (path.Match)
//	off UNIT HOOK
//	fail UNIT HOOK [times=N]      the hook exits 1
//	mend UNIT HOOK                it does so no more
//	exec UNIT: TOOL ...           the same in the hook that has begun, else in an update-status of its own
//
// The tools are the real ones, of package hooktool. A hook ends at the first that
// fails, unless "try" stands before it. "$unit" stands for the unit's name. What
// tools print follows the hook's line, indented: "  relation-list: db/0, db/1".
//
// Secrets are numbered from 1, in tools as "secret:1".
//
// What runs:
//
//	settle [UNIT...] [quiet] [why]    until none of them has anything left to do: each in turn as far as it gets
//	step UNIT [N]                     one step, or N
//	next UNIT                         what step would do
//	begin UNIT; commit UNIT; kill UNIT    one hook or task in three pieces: kill is a signal from outside
//	hello UNIT                        its agent takes the unit up; settle and step do so by themselves
//	elect UNIT                        leadership moves
//	crash [HOST]                      the agent dies and comes back
//	reboot [HOST]                     the computer does, and its agent with it
//	down HOST; up HOST                the computer goes, and comes back
//	advance DURATION                  time passes
//	sleep UNIT                        time passes until the unit wakes by itself
//
// Questions:
//
//	status, tasks, relations, members ID, bags ID [all], leader APP, wake UNIT
//	storage    each instance, its size, who has it, and where it is
//	secrets    with revisions (- for an obsolete one), who may read them, and who reads which
//	contract list
//	verdict ID    what the contract says of a relation, and of each bag of it; what a hook
//	    writes wrong is told below its line, indented
package script
