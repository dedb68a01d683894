package store

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"kith"
)

// The names that are not kinds of entities. Owner is a name within history, and was
// a kind in format 1, as revision was.
const (
	ownerName    = "owner"
	revisionName = "revision"
	historyName  = "history"
)

const (
	rootPrefix   = "/kith/"
	formatKey    = rootPrefix + "format"
	indexPrefix  = rootPrefix + "1/index/"
	indexValue   = "{}"
	modelsPrefix = rootPrefix + "1/models/"

	maxIDBytes = 4096 // an id is names joined by slashes; this only bounds nonsense
)

// maxWordBytes bounds a kind and a model's UUID.
const maxWordBytes = 63

// word reports whether s is lower-case letters, digits and dashes, and does not start
// with a dash. Every key of every commit is looked at, so no regular expression.
func word(s string) bool {
	if s == "" || len(s) > maxWordBytes || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// layout holds the keys of one model.
type layout struct{ prefix string }

func layoutOf(model kith.ModelUUID) layout { return layout{modelsPrefix + string(model) + "/"} }

func (l layout) entity(k Key) string { return l.prefix + k.Kind + "/" + k.ID }
func (l layout) history() string     { return l.prefix + historyName + "/" }

// owner sorts right after the records, so that one range from a record to it holds
// the later records and the owner, and nothing else.
func (l layout) owner() string { return l.history() + ownerName }

// record is the key of a revision's record. Twenty digits hold every uint64.
func (l layout) record(rev uint64) string {
	const digits = "00000000000000000000"
	n := strconv.FormatUint(rev, 10)
	return l.history() + digits[len(n):] + n
}

// recordsEnd is where the range of records ends: ':' follows '9'.
func (l layout) recordsEnd() string { return l.history() + ":" }

// split tells what a full key of the model is: its kind (or reserved name) and the rest.
func (l layout) split(full string) (kind, id string) {
	kind, id, _ = strings.Cut(strings.TrimPrefix(full, l.prefix), "/")
	return kind, id
}

func indexKey(model kith.ModelUUID) string { return indexPrefix + string(model) }

func parseRevision(v []byte) (uint64, error) { return strconv.ParseUint(string(v), 10, 64) }

// CheckModel refuses a UUID that could not be part of a key. Errors: Invalid.
func CheckModel(model kith.ModelUUID) error {
	if !word(string(model)) {
		return kith.Errorf(kith.Invalid, "invalid model UUID %q", model)
	}
	return nil
}

func checkKey(k Key) error {
	switch {
	case !word(k.Kind) || isDigit(k.Kind[0]) || k.Kind == ownerName || k.Kind == revisionName || k.Kind == historyName:
		return kith.Errorf(kith.Invalid, "cannot store entity %q: invalid kind %q", k.ID, k.Kind)
	case k.ID == "" || len(k.ID) > maxIDBytes || !utf8.ValidString(k.ID) || strings.IndexFunc(k.ID, control) >= 0:
		return kith.Errorf(kith.Invalid, "cannot store %s: invalid id %q", k.Kind, k.ID)
	}
	return nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// Check refuses a batch that no store could apply: bad names, revision 0, no
// record, or a key that appears twice. Errors: Invalid.
func (b *Batch) Check() error {
	if err := CheckModel(b.Model); err != nil {
		return err
	}
	if b.Revision == 0 {
		return kith.Errorf(kith.Invalid, "cannot commit to model %q: revision 0", b.Model)
	}
	if len(b.History) == 0 {
		return kith.Errorf(kith.Invalid, "cannot commit to model %q: revision %d has no history record", b.Model, b.Revision)
	}
	seen := make(map[Key]struct{}, len(b.Puts)+len(b.Deletes))
	check := func(k Key) error {
		if err := checkKey(k); err != nil {
			return err
		}
		if _, twice := seen[k]; twice {
			return kith.Errorf(kith.Invalid, "cannot commit to model %q: %q appears twice in one batch", b.Model, k)
		}
		seen[k] = struct{}{}
		return nil
	}
	for _, e := range b.Puts {
		if err := check(e.Key); err != nil {
			return err
		}
	}
	for _, k := range b.Deletes {
		if err := check(k); err != nil {
			return err
		}
	}
	return nil
}

// CheckCommit refuses what no store could commit: a malformed batch, one for
// another model than the one owned, one that does not fit. Errors: Invalid.
func CheckCommit(own Ownership, b *Batch, limits Limits) error {
	if err := b.Check(); err != nil {
		return err
	}
	if own.Model != b.Model {
		return kith.Errorf(kith.Invalid, "cannot commit to model %q with the ownership of model %q", b.Model, own.Model)
	}
	return limits.Check(b)
}
