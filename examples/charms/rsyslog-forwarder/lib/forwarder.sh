# Sourced by the hooks.

conf=$JUJU_CHARM_DIR/forward.conf

# forward FILES writes the configuration of the forwarder: which files, and where to.
forward() {
	target=$(config-get target)
	state-set files="$1"
	printf '%s -> %s\n' "$1" "$target" >"$conf"
	juju-log "forwarding $1"
	status-set active "$JUJU_PRINCIPAL_UNIT to $target"
}
