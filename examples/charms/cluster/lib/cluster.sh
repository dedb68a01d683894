# Sourced by the hooks.

app=${JUJU_UNIT_NAME%/*}

leader() { [ "$(is-leader)" = True ]; }

# lead RELATION publishes where the leader is. Writing what is there already
# wakes nobody, so this may run as often as it likes.
lead() {
	relation-set -r "$1" --app \
		leader-unit="$JUJU_UNIT_NAME" \
		leader-address="$(network-get -r "$1" --bind-address cluster)"
}

# follow RELATION caches the leader's address and says whom this unit follows.
# The copy is what the workload would read; it stays until a newer one comes, so
# the unit still knows an address while the leadership changes hands.
follow() {
	unit=$(relation-get -r "$1" --app leader-unit "$app")
	address=$(relation-get -r "$1" --app leader-address "$app")
	if [ -z "$address" ]; then
		status-set waiting "no leader has published an address yet"
		return 0
	fi
	if [ "$(state-get leader-address)" != "$address" ]; then
		juju-log "now following $unit at $address"
		state-set leader-unit="$unit" leader-address="$address"
	fi
	if [ "$unit" = "$JUJU_UNIT_NAME" ]; then
		status-set active "leads at $address"
	else
		status-set active "follows $unit at $address"
	fi
}
