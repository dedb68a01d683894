package store

import (
	"errors"
	"testing"
)

// I7: what a watcher has not taken is bounded in bytes; a single event always fits.
func TestLagBytes(t *testing.T) {
	t.Parallel()
	l := newLag("m")
	if !l.add(Event{Revision: 1}, 2*maxLagBytes) {
		t.Fatal("a single event did not fit")
	}
	if e, err := l.next(); err != nil || e.Revision != 1 {
		t.Fatalf("got %+v, %v", e, err)
	}
	if !l.add(Event{Revision: 2}, maxLagBytes-1) || !l.add(Event{Revision: 3}, 1) {
		t.Error("events that fit did not fit")
	}
	if l.add(Event{Revision: 4}, 1) {
		t.Error("one byte too many fitted")
	}
	if _, err := l.next(); !errors.Is(err, ErrResync) {
		t.Errorf("got %v", err)
	}
	l.fail(errors.New("later"))
	if _, err := l.next(); !errors.Is(err, ErrResync) {
		t.Errorf("got %v", err)
	}
}
