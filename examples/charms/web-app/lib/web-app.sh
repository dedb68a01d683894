# Sourced by the hooks: what this charm knows about being a web application.

app=${JUJU_UNIT_NAME%/*}
conf=$JUJU_CHARM_DIR/database.conf

leader() { [ "$(is-leader)" = True ]; }

# ask RELATION says which database we want: once for the application, by its leader.
ask() {
	relation-set -r "$1" --app database="$(config-get database-name)"
}

# connect RELATION writes the configuration from what the database has answered,
# or says what is missing. It may run any number of times.
connect() {
	remote=$(relation-list -r "$1" --app)
	endpoints=$(relation-get -r "$1" --app endpoints "$remote")
	username=$(relation-get -r "$1" --app username "$remote")
	password=$(relation-get -r "$1" --app password "$remote")
	name=$(relation-get -r "$1" --app database "$remote")
	if [ -z "$endpoints" ] || [ -z "$password" ]; then
		status-set waiting "waiting for $remote to make a database"
		return 0
	fi
	(umask 077 && printf 'postgres://%s:%s@%s/%s\n' "$username" "$password" "$endpoints" "$name" >"$conf")
	status-set active "database $name at $endpoints"
}

# disconnect forgets the database.
disconnect() {
	rm -f "$conf"
	status-set blocked "needs a database: integrate $app with one"
}

# listen RELATION tells the other side where this unit listens.
listen() {
	relation-set -r "$1" \
		hostname="$(network-get -r "$1" --ingress-address http)" \
		port="$(config-get port)"
}
