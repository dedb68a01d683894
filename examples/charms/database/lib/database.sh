# Sourced by the hooks: what this charm knows about being a database.

app=${JUJU_UNIT_NAME%/*}

leader() { [ "$(is-leader)" = True ]; }

secret() { od -An -N12 -tx1 /dev/urandom | tr -d ' \n'; }

# answer RELATION gives the application at the other end what it asked for. Only
# the leader may: the answer goes into the application's databag. A password, once
# given, stays: it is read back from our own bag, so a new leader knows it too.
answer() {
	remote=$(relation-list -r "$1" --app)
	wanted=$(relation-get -r "$1" --app database "$remote")
	if [ -z "$wanted" ]; then
		juju-log "$remote has not said yet which database it wants"
		return 0
	fi
	password=$(relation-get -r "$1" --app password "$app")
	address=$(network-get -r "$1" --ingress-address database)
	relation-set -r "$1" --app \
		database="$wanted" \
		username="relation-${1##*:}" \
		password="${password:-$(secret)}" \
		endpoints="$address:$(config-get port)"
	juju-log "$remote has database $wanted at $address:$(config-get port)"
}

# answer_all refreshes every answer: after a new leader, a new port.
answer_all() {
	for id in $(relation-ids database); do
		answer "$id"
	done
}
