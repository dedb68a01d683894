#!/bin/sh
# The demo: three pairs of example charms, integrated for real, from a clean start
# in a temporary home. It prints every command and what it says, the events of the
# units as they happen, and at the end the status, the databags of both sides and
# the whole trace. Nothing is left running behind it, however it ends.
#
# KITH names the program; by default it is bin/kith of this checkout.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
charms=$here/../charms
kith=${KITH:-$here/../../bin/kith}
if [ ! -x "$kith" ]; then
	echo "demo: there is no $kith; run make first" >&2
	exit 1
fi

home=$(mktemp -d "${DEMO_TMP:-/tmp}/kith-demo.XXXXXX") # /tmp: a socket's path may not be long
export KITH_HOME="$home/home"
unset JUJU_MODEL JUJU_CONTROLLER KITH_MODEL KITH_CONTROLLER 2>/dev/null || true
log=   # the process that follows the log
shown= # the process that prints it

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
fi

cleanup() {
	status=$?
	trap - EXIT INT TERM HUP
	"$kith" down >/dev/null 2>&1 || true
	[ -z "$log" ] || kill "$log" 2>/dev/null || true
	[ -z "$shown" ] || kill "$shown" 2>/dev/null || true
	wait
	rm -rf "$home"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

title() { printf '\n%s=== %s%s\n' "$bold" "$*" "$plain"; }
say() { printf '%s# %s%s\n' "$dim" "$*" "$plain"; }

# prompt COMMAND... shows a command as one would type it: the charms by their short path.
prompt() {
	line="\$ kith"
	for word in "$@"; do
		case $word in
		"$charms"/*) line="$line ./examples/charms/${word##*/}" ;;
		*) line="$line $word" ;;
		esac
	done
	printf '%s%s%s\n' "$bold" "$line" "$plain"
}

# run COMMAND... shows a command, runs it, and shows what it says.
run() {
	prompt "$@"
	"$kith" "$@" 2>&1
}

# refused COMMAND... runs a command that has to fail.
refused() {
	if run "$@"; then
		echo "demo: that should have been refused" >&2
		exit 1
	fi
}

# settle waits until the model has nothing left to do, and until the events that
# led there are on the screen.
settle() {
	run settle --timeout 60s
	total=$("$kith" debug-log --limit 0 --level INFO | wc -l)
	tries=0
	while [ "$(wc -l <"$home/seen")" -lt "$total" ] && [ "$tries" -lt 100 ]; do
		tries=$((tries + 1))
		sleep 0.02
	done
}

# follow prints the events of the units in the background, indented. Hooks that a
# charm does not have are left out here; the trace at the end has them.
follow() {
	: >"$home/seen"
	mkfifo "$home/log"
	"$kith" debug-log --replay --tail --level INFO >"$home/log" 2>/dev/null &
	log=$!
	while read -r entity time level module message; do
		case $module in
		*.juju-log) show_event "$entity" "$message" ;;
		*) case $message in ran*) show_event "$entity" "${message%% (via*}" ;; esac ;;
		esac
		echo "$time $level" >>"$home/seen"
	done <"$home/log" &
	shown=$!
}

# show_event unit-web-app-0: MESSAGE prints one event, with the unit by its name.
show_event() {
	unit=${1#unit-} unit=${unit%:}
	printf '%s    %-18s %s%s\n' "$dim" "${unit%-*}/${unit##*-}" "$2" "$plain"
}

# leader_of APP prints the unit that leads: the one that status marks with a star.
leader_of() {
	"$kith" status "$1" 2>/dev/null | sed -n "s|^\($1/[0-9]*\)\*.*|\1|p"
}

title "A clean start"
run up
run add-model demo
follow

title "1. A web application and its database"
run deploy "$charms/database"
run deploy "$charms/web-app"
settle
run status
say "web-app is blocked: it needs a database. Both ends speak database_client."
run integrate web-app database
settle
say "The endpoint of web-app has limit 1, so a second database is refused."
run deploy "$charms/database" spare
refused integrate web-app spare

title "2. An exchange of tokens"
run deploy "$charms/token-provider"
run deploy -n 2 "$charms/token-requirer"
run integrate token-provider token-requirer
settle
say "The leader writes application data anew: both units at the other end hear of it."
run config token-provider special-field=changed
settle

title "3. A cluster that follows its leader"
run deploy -n 3 "$charms/cluster"
settle
leader=$(leader_of cluster)
say "$leader leads. Take it away: another is elected, and the third follows that one."
run remove-unit --no-prompt "$leader"
settle

title "How things are"
run status --relations

title "What both sides published"
run show-unit database/0 web-app/0
run show-unit token-provider/0 token-requirer/0
run show-unit "$(leader_of cluster)"

title "Every event, in order"
run debug-log --limit 0 --level INFO

title "The end"
run down
