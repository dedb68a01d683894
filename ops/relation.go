package ops

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"kith"
)

// Relation is a relation as this unit sees it.
type Relation struct {
	m *Model
	// Endpoint is the own endpoint; its charm calls the relation by this name.
	Endpoint kith.EndpointName
	ID       kith.RelationID
	// App is the remote application; the own one in a peer relation; empty if the relation
	// does not exist any more.
	App kith.AppName
	// Units are the remote units this unit has been told of, sorted: without the own
	// unit, and without one whose relation-departed runs.
	Units []kith.UnitName
	// Active is false in relation-broken, and for a relation that does not exist.
	Active bool
	// gone: it is none of the endpoint's. Nobody is asked about it, since hosts go by its number
	// alone, which may be that of a relation on another endpoint.
	gone bool
}

// Ref is how calls name the relation.
func (r *Relation) Ref() RelationRef { return RelationRef{r.Endpoint, r.ID} }

// String is "db:4".
func (r *Relation) String() string { return r.Ref().String() }

// IsPeer reports whether the relation is among the units of this application.
func (r *Relation) IsPeer() bool { return r.m.isPeer(r.Endpoint) }

// RemoteModel is the model of the remote application. It needs Juju 3.6.2: [ErrToolNotFound] before.
func (r *Relation) RemoteModel() (kith.ModelUUID, error) {
	if err := r.exists("ask for the other model"); err != nil {
		return "", err
	}
	return r.m.f.backend.RelationModel(r.Ref())
}

// exists refuses what cannot be done with a relation the endpoint does not have.
func (r *Relation) exists(verb string) error {
	if !r.gone {
		return nil
	}
	return fmt.Errorf("cannot %s of %q: %w", verb, r, ErrRelationNotFound)
}

// Data is the databag of a unit or an application in this relation. Making one asks
// nobody.
func (r *Relation) Data(owner Owner) *RelationData {
	name, app := ownerName(owner)
	return &RelationData{r, name, app}
}

// RelationData is one databag: strings by key. Who may do what (ops reference,
// section 5.4):
//
//	                                 read          write
//	own unit                         yes           yes
//	other units                      yes           no
//	own application, peer relation   yes           leader
//	own application, otherwise       leader        leader
//	remote application               yes           no
//
// What may not be is a [*RelationDataAccessError]. A databag is read once in a
// dispatch; what the charm writes shows in later reads, and goes out when the hook
// succeeds.
type RelationData struct {
	rel   *Relation
	owner string
	app   bool
}

type bagKey struct {
	id    kith.RelationID
	owner string
}

// Owner is the name of the unit or application.
func (d *RelationData) Owner() string { return d.owner }

// Get is the value of a key, or empty. A databag cannot hold empty values.
func (d *RelationData) Get(key string) (string, error) {
	bag, err := d.read()
	return bag[key], err
}

// All is a copy of everything in the databag. That of a relation which is gone is empty.
func (d *RelationData) All() (map[string]string, error) {
	bag, err := d.read()
	if err != nil {
		return nil, err
	}
	return clone(bag), nil
}

// Keys are the keys, sorted.
func (d *RelationData) Keys() ([]string, error) {
	bag, err := d.read()
	return slices.Sorted(maps.Keys(bag)), err
}

// Set writes one key; an empty value deletes it. Errors: as [RelationData.Update].
func (d *RelationData) Set(key, value string) error {
	return d.Update(map[string]string{key: value})
}

// Delete deletes keys; those that are not there are no error.
func (d *RelationData) Delete(keys ...string) error {
	set := make(map[string]string, len(keys))
	for _, k := range keys {
		set[k] = ""
	}
	return d.Update(set)
}

// Update writes keys in one call; empty values delete theirs, and keys not named stay.
// What would change nothing is not sent. Errors: [*RelationDataTypeError] for what is
// not UTF-8, [*RelationDataAccessError], [ErrRelationNotFound].
func (d *RelationData) Update(set map[string]string) error {
	for _, k := range slices.Sorted(maps.Keys(set)) {
		if !utf8.ValidString(k) || !utf8.ValidString(set[k]) {
			return &RelationDataTypeError{Key: k, Type: "string", Err: errors.New("it is not UTF-8")}
		}
	}
	if err := d.mayWrite(); err != nil {
		return err
	}
	bag, err := d.read()
	if err != nil {
		return err
	}
	changes := map[string]string{}
	for k, v := range set { // any order: a map again
		if bag[k] != v {
			changes[k] = v
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := d.rel.exists("write the data"); err != nil {
		return err
	}
	if err := d.rel.m.f.backend.RelationSet(d.rel.Ref(), d.app, changes); err != nil {
		return d.refused("write", err)
	}
	for k, v := range changes { // any order: a map again
		if bag[k] = v; v == "" {
			delete(bag, k)
		}
	}
	return nil
}

// Replace makes the databag hold exactly these keys.
func (d *RelationData) Replace(data map[string]string) error {
	if err := d.mayWrite(); err != nil {
		return err
	}
	bag, err := d.read()
	if err != nil {
		return err
	}
	set := clone(data)
	for k := range bag { // any order: a map again
		if _, keep := data[k]; !keep {
			set[k] = ""
		}
	}
	return d.Update(set)
}

// read is the databag itself.
func (d *RelationData) read() (map[string]string, error) {
	m := d.rel.m
	key := bagKey{d.rel.ID, d.owner}
	if bag, ok := m.bags[key]; ok && !d.rel.gone {
		return bag, nil
	}
	if err := d.mayRead(); err != nil || d.rel.gone {
		return nil, err
	}
	bag, err := m.f.backend.RelationGet(d.rel.Ref(), d.app, d.owner)
	switch {
	case errors.Is(err, ErrRelationNotFound):
		bag = nil
	case err != nil:
		return nil, d.refused("read", err)
	}
	if bag == nil {
		bag = map[string]string{}
	}
	put(&m.bags, key, bag)
	return bag, nil
}

// refused gives a refusal of the tool the form that says what was tried.
func (d *RelationData) refused(op string, err error) error {
	if errors.Is(err, ErrPermission) {
		e := d.denied(op, err.Error())
		e.Err = err
		return e
	}
	return err
}

// MarshalJSON writes what identifies the relation. A custom event that holds one
// finds it again with [Model.GetRelationByID].
func (r *Relation) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Endpoint kith.EndpointName `json:"endpoint"`
		ID       kith.RelationID   `json:"id"`
	}{r.Endpoint, r.ID})
}
