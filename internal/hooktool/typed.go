package hooktool

import (
	"slices"

	"kith"
)

// The methods below answer the calls that charms make most without text in between, for
// a charm in the same process. They are what the tools of the same names do; a host that
// gets an error asks the tool, which words it as Juju does.

// RelationIDs are the relations on an endpoint, in order of number: relation-ids.
func (r *Run) RelationIDs(endpoint kith.EndpointName) []kith.RelationID {
	ids := make([]kith.RelationID, 0, len(r.ctx.Relations))
	for _, rel := range r.ctx.Relations {
		if rel.Endpoint == endpoint && !r.breaking(rel.ID) {
			ids = append(ids, rel.ID)
		}
	}
	return ids
}

// RelationUnits are the remote units of a relation, sorted: relation-list. The slice is the caller's.
func (r *Run) RelationUnits(id kith.RelationID) ([]kith.UnitName, error) {
	of, err := r.relation(id)
	if err != nil {
		return nil, err
	}
	return r.members(of), nil
}

// RelationApp is the remote application of a relation: relation-list --app.
func (r *Run) RelationApp(id kith.RelationID) (kith.AppName, error) {
	of, err := r.relation(id)
	if err != nil {
		return "", err
	}
	return of.RemoteApp, nil
}

// RelationGet is a databag: relation-get. owner is a unit, or an application. The map is
// shared, as all data of a run is: neither side changes it.
func (r *Run) RelationGet(id kith.RelationID, owner string) (map[string]string, error) {
	if _, err := r.relation(id); err != nil {
		return nil, err
	}
	return r.readBag(id, owner)
}

// RelationSet writes settings of the unit, or of its application: relation-set. The run keeps
// the map, and the caller does not change it any more.
func (r *Run) RelationSet(id kith.RelationID, app bool, set map[string]string) error {
	if _, err := r.relation(id); err != nil {
		return err
	}
	if app {
		leads, err := r.leads()
		if err != nil {
			return because("cannot determine leadership status", err)
		}
		if !leads {
			return errNotLeaderWrites
		}
	}
	return r.write(id, app, set)
}

// IsLeader reports whether the unit leads: is-leader.
func (r *Run) IsLeader() (bool, error) { return r.leads() }

// Config holds the options that have a value: config-get.
func (r *Run) Config() map[string]any {
	values := make(map[string]any, len(r.ctx.Config))
	for name, value := range r.ctx.Config { // any order: a map is made
		if value != nil {
			values[name] = plain(value)
		}
	}
	return values
}

// State is the charm's state: state-get. The map is shared: neither side changes it.
func (r *Run) State() map[string]string { return r.stateNow() }

// Log writes a record, which names the relation of the hook: juju-log. The level is valid.
func (r *Run) Log(level Level, message string) {
	if h := r.hook.Relation; h != nil {
		message = string(h.Endpoint) + ":" + h.ID.String() + ": " + message
	}
	r.host.Log(level, message)
}

// charmMay are the statuses a charm may set.
var charmMay = []kith.Status{kith.Maintenance, kith.Blocked, kith.Waiting, kith.Active}

// SetStatus sets the status of the unit, or of its application: status-set. ok is false if it
// was not done.
func (r *Run) SetStatus(app bool, status kith.Status, message string) (ok bool, err error) {
	if !slices.Contains(charmMay, status) {
		return false, nil
	}
	if app {
		if leads, err := r.leads(); err != nil || !leads {
			return false, err
		}
	}
	err = r.host.SetStatus(app, status, message)
	return err == nil, err
}
