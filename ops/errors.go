package ops

import (
	"errors"
	"fmt"
	"strings"

	"kith"
)

// What errors.Is finds in an error of this package.
var (
	// ErrRelationNotFound: the relation does not exist, or does so no longer.
	ErrRelationNotFound = errors.New("relation not found")
	// ErrSecretNotFound: there is no such secret or label, or it may not be known of.
	ErrSecretNotFound = errors.New("secret not found")
	// ErrPermission: this unit may not do or see that.
	ErrPermission = errors.New("permission denied")
	// ErrNotLeader: only the leader may do that. It is always an ErrPermission too.
	ErrNotLeader = errors.New("this unit is not the leader")
	// ErrToolNotFound: this Juju does not have the hook tool.
	ErrToolNotFound = errors.New("hook tool not found")
)

// ModelError is a hook tool call that was refused. It matches [ErrRelationNotFound]
// and the other kinds with errors.Is.
type ModelError struct {
	Tool string // "relation-get"
	// Status is the exit status: 1 failed, 2 used in a wrong way.
	Status int
	// Stderr is what the tool said, unchanged.
	Stderr string

	kinds []error
}

// Error is what the tool said, without the "ERROR " it starts with.
func (e *ModelError) Error() string {
	text := strings.TrimPrefix(strings.TrimSpace(e.Stderr), "ERROR ")
	if first, _, more := strings.Cut(text, "\nhint: "); more {
		text = first
	}
	if text == "" {
		text = fmt.Sprintf("exit status %d", e.Status)
	}
	return e.Tool + ": " + text
}

// Is matches the kinds of error named Err….
func (e *ModelError) Is(target error) bool {
	for _, kind := range e.kinds {
		if kind == target {
			return true
		}
	}
	return false
}

// NewModelError tells from the exit status and standard error of a refused call
// what kind of error it is. Juju has no codes, so it goes by the words; this is the
// one place that does (hook protocol reference, section 16.2).
func NewModelError(tool string, status int, stderr string) *ModelError {
	e := &ModelError{Tool: tool, Status: status, Stderr: stderr}
	text := strings.ToLower(stderr)
	says := func(words string) bool { return strings.Contains(text, words) }
	relational := strings.HasPrefix(tool, "relation-") || strings.HasPrefix(tool, "network-")
	switch {
	case says("bad request: unknown command"):
		e.kinds = []error{ErrToolNotFound}
	case says("relation not found") && (relational || strings.HasPrefix(tool, "secret-")):
		e.kinds = []error{ErrRelationNotFound}
	case strings.HasPrefix(tool, "secret-") && says("not found"):
		e.kinds = []error{ErrSecretNotFound}
	case says("not the leader") || says("cannot write relation settings"):
		e.kinds = []error{ErrNotLeader, ErrPermission}
	case says("permission denied") || says("access denied") || says("not allowed to"):
		e.kinds = []error{ErrPermission}
	}
	return e
}

// TooManyRelatedAppsError answers [Model.GetRelation] by name for an endpoint with
// more than one relation: ask by id, or use [Model.Relations].
type TooManyRelatedAppsError struct {
	Endpoint     kith.EndpointName
	NumRelated   int
	MaxSupported int // 1
}

// Error names the endpoint and both numbers.
func (e *TooManyRelatedAppsError) Error() string {
	return fmt.Sprintf("too many related applications on endpoint %q: %d, and at most %d can be told apart by name", e.Endpoint, e.NumRelated, e.MaxSupported)
}

// RelationDataAccessError is a databag access that the rules forbid (ops reference,
// section 5.4). It is an [ErrPermission].
type RelationDataAccessError struct {
	Op       string // "read" or "write"
	Endpoint kith.EndpointName
	ID       kith.RelationID
	Owner    string // of the databag: a unit or an application
	Reason   string
	// Err is the refusal of the hook tool, or nil if no call was made.
	Err error
}

// Error says what was tried, and why it may not be.
func (e *RelationDataAccessError) Error() string {
	return fmt.Sprintf("cannot %s the data of %q in relation %s:%d: %s", e.Op, e.Owner, e.Endpoint, e.ID, e.Reason)
}

// Is matches [ErrPermission].
func (e *RelationDataAccessError) Is(target error) bool { return target == ErrPermission }

// Unwrap is the refusal of the hook tool.
func (e *RelationDataAccessError) Unwrap() error { return e.Err }

// RelationDataTypeError is a key of a databag whose text does not fit the field of a
// struct, a field that cannot be written as text, or text that is not UTF-8.
type RelationDataTypeError struct {
	Key  string
	Type string // of the field
	Err  error
}

// Error names the key, the type and the reason.
func (e *RelationDataTypeError) Error() string {
	return fmt.Sprintf("databag key %q does not go with type %s: %v", e.Key, e.Type, e.Err)
}

// Unwrap is the reason.
func (e *RelationDataTypeError) Unwrap() error { return e.Err }

// InvalidStatusError is a status a charm cannot set.
type InvalidStatusError struct{ Status Status }

// Error names the status and those that can be set.
func (e *InvalidStatusError) Error() string {
	return fmt.Sprintf("invalid status %q, expected one of maintenance, blocked, waiting, active", e.Status.Name)
}
