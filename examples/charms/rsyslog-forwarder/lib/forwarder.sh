# Sourced by the hooks.

conf=$JUJU_CHARM_DIR/forward.conf

# forward FILES writes the configuration of the forwarder: which files, and where to.
forward() {
	state-set files="$1"
	printf '%s -> %s\n' "$1" "$(config-get target)" >"$conf"
	status-set active "forwarding $1 of $JUJU_PRINCIPAL_UNIT"
}
