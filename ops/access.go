package ops

// This file holds every rule about databags that is checked before a hook tool is
// called: where the tool has no way to say what was asked for, and where hosts differ
// in their answer (ops reference, section 5.4; hook protocol reference, section 7.1).
// All else the host decides, and its refusal becomes the same error.

// mayRead refuses a non-leader its own application's data, unless the relation is
// among peers: Juju 4 would show it.
func (d *RelationData) mayRead() error {
	switch {
	case d.owner == "":
		return d.denied("read", "the event has no such unit or application")
	case !d.app || d.rel.IsPeer() || !d.own():
		return nil
	}
	return d.leaderOnly("read")
}

// mayWrite refuses what is not the unit's own, and a non-leader its application's.
func (d *RelationData) mayWrite() error {
	switch {
	case !d.own():
		return d.denied("write", "it belongs to others")
	case d.app:
		return d.leaderOnly("write")
	}
	return nil
}

// own reports whether the databag is the unit's or its application's.
func (d *RelationData) own() bool {
	m := d.rel.m
	if d.app {
		return d.owner == string(m.app.name)
	}
	return d.owner == string(m.unit.name)
}

func (d *RelationData) leaderOnly(op string) error {
	leads, err := d.rel.m.unit.IsLeader()
	if err == nil && !leads {
		return d.denied(op, "this unit is not the leader")
	}
	return err
}

func (d *RelationData) denied(op, reason string) *RelationDataAccessError {
	return &RelationDataAccessError{Op: op, Endpoint: d.rel.Endpoint, ID: d.rel.ID, Owner: d.owner, Reason: reason}
}
