# Sourced by the hooks: both sides of the exchange do the same.

leader() { [ "$(is-leader)" = True ]; }

# uuid prints a chance name in the usual 8-4-4-4-12 form.
uuid() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n' | sed 's/^\(.\{8\}\)\(.\{4\}\)\(.\{4\}\)\(.\{4\}\)/\1-\2-\3-\4-/'; }

# mine prints this unit's token: made once, kept in the unit's state.
mine() {
	token=$(state-get token)
	if [ -z "$token" ]; then
		token=$(uuid)
		state-set token="$token"
	fi
	printf '%s\n' "$token"
}

# offer RELATION writes what is ours to write: every unit its token, the leader
# also the two fields of the application.
offer() {
	relation-set -r "$1" token="$(mine)"
	if leader; then
		relation-set -r "$1" --app \
			leader-uuid="$(mine)" \
			special-field="$(config-get special-field)"
	fi
}

# offer_all writes into every relation of the endpoint.
offer_all() {
	for id in $(relation-ids token); do
		offer "$id"
	done
}

# report RELATION sets the status to what the other side has written so far.
report() {
	remote=$(relation-list -r "$1" --app)
	tokens=0
	for unit in $(relation-list -r "$1"); do
		token=$(relation-get -r "$1" token "$unit")
		[ -z "$token" ] || tokens=$((tokens + 1))
	done
	uuid=$(relation-get -r "$1" --app leader-uuid "$remote")
	field=$(relation-get -r "$1" --app special-field "$remote")
	status-set active "$remote: $tokens token(s), leader ${uuid%%-*}, special-field $field"
}
