package core

import (
	"cmp"
	"iter"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
	"kith/charm"
)

// The kinds of storage, as charms declare them.
const (
	FilesystemStorage = "filesystem"
	BlockStorage      = "block"
)

// RootfsPool is the one pool there is: directories below the agent's folder.
const RootfsPool = "rootfs"

// defaultStorageSize is that of storage whose size nobody named, in MiB, as in Juju.
const defaultStorageSize = 1024

// StorageFate says what becomes of a storage that no unit has any more.
type StorageFate string

// The fates.
const (
	KeepStorage    StorageFate = ""        // it waits for another unit
	DestroyStorage StorageFate = "destroy" // it goes with its data
	ReleaseStorage StorageFate = "release" // it goes, and its data stays where it is
)

// Storage is one instance of a storage: a directory that a unit holds, or held.
//
//	attaching ──▶ attached ──▶ detaching ──▶ detached ──▶ attaching (another unit)
//	    │                                       │
//	    └───────────────────────────────────────┴──▶ dead: its data is being deleted
//
// A storage outlives its unit unless its fate says otherwise.
type Storage struct {
	ID       kith.StorageID `json:"id"`
	Kind     string         `json:"kind"` // filesystem
	Pool     string         `json:"pool"`
	Size     uint64         `json:"size"` // in MiB; a wish, not a bound
	ReadOnly bool           `json:"read-only,omitempty"`
	Host     string         `json:"host"` // the computer it is on
	// Unit holds it, or is about to; empty while it is detached.
	Unit kith.UnitName `json:"unit,omitempty"`
	Life kith.Life     `json:"life"`
	// Rev is the revision of the last change of Unit, Detaching or Life.
	Rev uint64 `json:"rev"`
	// Attached is true while the unit knows of it: storage-attached has run, and
	// storage-detaching has not. Written by the unit's hook commits, and when the unit loses it.
	Attached bool `json:"attached,omitempty"`
	// Detaching is set when the unit is to give it back.
	Detaching bool        `json:"detaching,omitempty"`
	Fate      StorageFate `json:"fate,omitempty"`
	// Location is where its data is, as the agent that made it says. Written by the
	// unit's hook commits only; empty if no unit was ever told of it.
	Location string    `json:"location,omitempty"`
	Created  time.Time `json:"created"`
	// Since is when it was last attached, asked back or detached.
	Since time.Time `json:"since"`
	// EvictAt is when a forced removal stops waiting for its data to be deleted.
	EvictAt time.Time `json:"evict-at,omitzero"`
}

// Key is the storage's id.
func (s *Storage) Key() Key { return Key{KindStorage, string(s.ID)} }

// StorageDirective says what storage an operator wants: deploy --storage, add-storage.
// What is zero is left to the charm.
type StorageDirective struct {
	Pool  string `json:"pool,omitempty"`
	Size  uint64 `json:"size,omitempty"` // in MiB
	Count int    `json:"count,omitempty"`
}

var (
	poolPattern  = regexp.MustCompile(`^[a-zA-Z]+[-a-zA-Z0-9]*$`)
	countPattern = regexp.MustCompile(`^-?[0-9]+$`)
	sizePattern  = regexp.MustCompile(`^(-?[0-9]+(?:\.[0-9]+)?)([MGTPEZY])(?:i?B)?$`)
)

// ParseStorageDirective reads "rootfs,10G,2": a pool, a size and a count, of which each may be
// left out but not all; the count is then 1. Errors: Invalid.
func ParseStorageDirective(s string) (StorageDirective, error) {
	var d StorageDirective
	for field := range strings.SplitSeq(s, ",") {
		switch {
		case field == "":
		case poolPattern.MatchString(field):
			if d.Pool == "" {
				d.Pool = field
			}
		case countPattern.MatchString(field):
			n, err := strconv.Atoi(field)
			if err != nil || n < 1 {
				return d, kith.Errorf(kith.Invalid, "cannot parse count: count must be greater than zero, got %q", field)
			}
			d.Count = n
		case sizePattern.MatchString(field):
			size, err := parseStorageSize(field)
			if err != nil {
				return d, err
			}
			d.Size = size
		default:
			return d, kith.Errorf(kith.Invalid, "unrecognized storage directive %q not valid", field).
				WithHint("a directive is POOL,SIZE,COUNT, such as rootfs,10G,2")
		}
	}
	if d == (StorageDirective{}) {
		return d, kith.Errorf(kith.Invalid, "storage directives require at least one field to be specified")
	}
	d.Count = max(d.Count, 1)
	return d, nil
}

// parseStorageSize reads a size that fits sizePattern, in MiB; fractions are rounded up.
func parseStorageSize(s string) (uint64, error) {
	m := sizePattern.FindStringSubmatch(s)
	value, err := strconv.ParseFloat(m[1], 64)
	if err != nil || value < 0 {
		return 0, kith.Errorf(kith.Invalid, "cannot parse size: expected a non-negative number, got %q", s)
	}
	mib := math.Ceil(value * math.Pow(1024, float64(strings.IndexByte("MGTPEZY", m[2][0]))))
	if mib >= math.MaxUint64 {
		return 0, kith.Errorf(kith.Invalid, "cannot parse size: %q is too large", s)
	}
	return uint64(mib), nil
}

// StorageHook says which storage a hook is about.
type StorageHook struct {
	ID   kith.StorageID `json:"id"`
	Kind string         `json:"kind"`
	// Location is where its data is. The agent fills it in: it makes the place.
	Location string `json:"location,omitempty"`
}

// Placed is the hook with the place of its storage filled in, if it is about one.
func (h Hook) Placed(at func(kith.StorageID) string) Hook {
	if h.Storage != nil {
		about := *h.Storage
		about.Location = at(about.ID)
		h.Storage = &about
	}
	return h
}

// Placed is the context with the places of its storage filled in.
func (c HookContext) Placed(at func(kith.StorageID) string) HookContext {
	c.Storage = slices.Clone(c.Storage)
	for i := range c.Storage {
		c.Storage[i].Location = at(c.Storage[i].ID)
	}
	return c
}

// StorageAdd is what a hook asks for with storage-add.
type StorageAdd struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// StorageContext is a storage a hook sees.
type StorageContext struct {
	StorageHook
	ReadOnly bool `json:"read-only,omitempty"`
}

// Storage is the storage with that id, or nil.
func (m *Model) Storage(id kith.StorageID) *Storage { return m.storage.get(string(id)) }

// Storages yields all storage in string order of id.
func (m *Model) Storages() iter.Seq[*Storage] { return m.storage.all() }

// StorageOf lists what a unit holds or is about to hold, by name and then by number.
func (m *Model) StorageOf(u kith.UnitName) []*Storage {
	var all []*Storage
	for _, id := range m.storageIndex.under(string(u)) {
		all = append(all, m.storage.get(id))
	}
	slices.SortFunc(all, func(a, b *Storage) int { return compareStorage(a.ID, b.ID) })
	return all
}

// compareStorage orders ids by name, then by number.
func compareStorage(a, b kith.StorageID) int {
	if c := strings.Compare(a.Name(), b.Name()); c != 0 {
		return c
	}
	return a.Number() - b.Number()
}

func (m *Model) applyStorage(c Change) Entity {
	old, now := m.storage.apply(c)
	if old != nil && old.Unit != "" {
		m.storageIndex.drop(string(old.Unit), c.Key.ID)
	}
	if now != nil && now.Unit != "" {
		m.storageIndex.add(string(now.Unit), c.Key.ID)
	}
	return entity(old)
}

// StorageHook is the next hook about a storage, and the revision that made it due: what the
// unit is to give back comes before what it is to get. A unit on its way out gives back
// everything and gets nothing.
func (v View) StorageHook() (h StorageHook, kind HookKind, cause uint64, ok bool) {
	all := v.m.StorageOf(v.Unit.Name)
	for _, s := range all {
		if s.Attached && (s.Detaching || v.Dying()) {
			cause = s.Rev
			if !s.Detaching {
				cause = v.Unit.LifeRev
			}
			return s.hook(), StorageDetaching, cause, true
		}
	}
	for _, s := range all {
		if !s.Attached && !s.Detaching && !v.Dying() && v.declares(s.ID.Name()) {
			return s.hook(), StorageAttached, s.Rev, true
		}
	}
	return StorageHook{}, "", 0, false
}

// declares reports whether the charm that is unpacked on the unit, or will be first, has a
// storage. One that a refresh brings is not told of before the new charm is there to hear it.
func (v View) declares(storage string) bool {
	c := v.m.Charm(cmp.Or(v.Past.Charm, v.App.Charm))
	if c == nil {
		return false
	}
	_, ok := c.Charm.Meta.Storage[storage]
	return ok
}

func (s *Storage) hook() StorageHook { return StorageHook{s.ID, s.Kind, s.Location} }

// StorageHookIsMoot reports whether a hook about a storage has lost its object: the
// unit does not hold it any more, or need not be told of it since it is to give it back.
func (v View) StorageHookIsMoot(h Hook) bool { return v.m.storageHookIsMoot(v.Unit.Name, h) }

func (m *Model) storageHookIsMoot(u kith.UnitName, h Hook) bool {
	if h.Storage == nil {
		return false
	}
	s := m.Storage(h.Storage.ID)
	return s == nil || s.Unit != u || h.Kind == StorageAttached && s.Detaching && !s.Attached
}

// storageContext lists the storage a hook sees: what the unit was told of, and what the
// hook is about.
func (v View) storageContext(h Hook) []StorageContext {
	var all []StorageContext
	for _, s := range v.m.StorageOf(v.Unit.Name) {
		if s.Attached || h.Storage != nil && h.Storage.ID == s.ID {
			all = append(all, StorageContext{s.hook(), s.ReadOnly})
		}
	}
	return all
}

// StorageLost reports whether a unit that goes loses this storage with its data.
func (s *Storage) StorageLost() bool { return s.Fate == DestroyStorage || s.Location == "" }

// plan is what a unit gets of one storage that its charm declares.
func (app *App) plan(s charm.Storage) StorageDirective {
	d := app.Storage[s.Name]
	if d.Pool == "" {
		d.Pool = RootfsPool
	}
	if d.Size == 0 {
		d.Size = cmp.Or(s.MinimumSize, defaultStorageSize)
	}
	if d.Count == 0 {
		d.Count = s.CountMin
	}
	return d
}
