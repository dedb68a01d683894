package store

import (
	"errors"

	"kith"
)

// What a caller may act on. Match with errors.Is; the code and the sentence come
// from the [kith.Error] beside it.
var (
	// ErrFenced: the ownership is over; nothing was changed and nothing ever will be with it.
	ErrFenced = errors.New("store: no longer the owner")
	// ErrOwned: another live controller owns the model.
	ErrOwned = errors.New("store: owned by another controller")
	// ErrRevision: the model is not at the revision the batch builds on; nothing was changed.
	ErrRevision = errors.New("store: model is at another revision")
	// ErrUnknown: the batch may or may not have been applied; Load tells.
	ErrUnknown = errors.New("store: outcome unknown")
	// ErrResync: the watch cannot go on from where it is; start again from Load.
	ErrResync = errors.New("store: watch must start again from a snapshot")
	// ErrTooLarge: the batch does not fit the limits; nothing was changed.
	ErrTooLarge = errors.New("store: batch too large")
)

// Because joins a sentence for people with a reason for callers: errors.Is finds
// reason, [kith.CodeOf] and errors.As find e.
func Because(reason error, e *kith.Error) error { return &reasoned{e, reason} }

// because adds a reason to an error that has a sentence already.
func because(reason, err error) error {
	var e *kith.Error
	if !errors.As(err, &e) {
		return err
	}
	return &reasoned{e, errors.Join(reason, err)}
}

type reasoned struct {
	err    *kith.Error
	reason error
}

func (r *reasoned) Error() string   { return r.err.Message }
func (r *reasoned) Unwrap() []error { return []error{r.err, r.reason} }

// The refusals that every store words alike.

// Fenced is the error of an owner that was replaced.
func Fenced(verb string, model kith.ModelUUID) error {
	return Because(ErrFenced, kith.Errorf(kith.Conflict, "cannot %s model %q: this controller no longer owns it", verb, model).
		WithHint("another controller took over; it answers for the model now"))
}

// OwnedBy is the error of a controller that comes second.
func OwnedBy(model kith.ModelUUID, owner Identity) error {
	at := ""
	if owner.Address != "" {
		at = " at " + owner.Address
	}
	return Because(ErrOwned, kith.Errorf(kith.Conflict, "cannot own model %q: controller %q%s owns it", model, owner.ID, at).
		WithHint("send the request there, or stop that controller; its models are free when its lease ends"))
}

// Moved is the error of a batch that builds on another revision than the model has.
func Moved(b Batch, at uint64) error {
	return Because(ErrRevision, kith.Errorf(kith.Conflict, "cannot commit revision %d of model %q: the model is at revision %d",
		b.Revision, b.Model, at).WithHint("load the model again"))
}

// NotOwned is the error of Owner when there is none.
func NotOwned(model kith.ModelUUID) error {
	return kith.Errorf(kith.NotFound, "model %q has no owner", model)
}

// Resync is the error of a watch that must start again, and why.
func Resync(model kith.ModelUUID, why string) error {
	return Because(ErrResync, kith.Errorf(kith.Unavailable, "cannot watch model %q further: %s", model, why).
		WithHint("load the model again and watch from there"))
}
