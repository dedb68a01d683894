package dispatch

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"kith/internal/api"
)

// Who is told that a process has an event is told so while it runs, and not of one that
// could not be started.
func TestStarted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	script := filepath.Join(dir, "hook")
	// It ends once it is let, so that it is running when it is told of.
	if err := os.WriteFile(script, []byte("#!/bin/sh\nwhile ! [ -e told ]; do sleep 0.01; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	r := Runner{Grace: time.Second}
	told := 0
	event := func(path string) Event {
		return Event{Script: Script{Path: path, Via: "hook"}, Dir: dir, Env: []string{"PATH=" + os.Getenv("PATH")},
			Output: NewOutput(func(api.Level, string) {}), Started: func() {
				told++
				if err := os.WriteFile(filepath.Join(dir, "told"), nil, 0o644); err != nil {
					t.Error(err)
				}
			}}
	}
	if _, err := r.Run(t.Context(), event(filepath.Join(dir, "nosuch"))); err == nil || told != 0 {
		t.Errorf("got %v, told %d times", err, told)
	}
	exit, err := r.Run(t.Context(), event(script))
	if err != nil || !exit.Success() || told != 1 {
		t.Errorf("got %+v, %v, told %d times", exit, err, told)
	}
}
