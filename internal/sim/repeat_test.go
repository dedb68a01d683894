package sim

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"kith/internal/core"
)

// A seed is a schedule: running it twice, or replaying its draws, gives the same history to the byte.
func TestRunsRepeat(t *testing.T) {
	t.Parallel()
	for seed := uint64(1); seed <= 10; seed++ {
		first, second := Run(Options{Seed: seed}), Run(Options{Seed: seed})
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("seed %d runs differently the second time", seed)
		}
		var script bytes.Buffer
		if err := WriteScript(&script, seed, first.Violation, first.Schedule); err != nil {
			t.Fatal(err)
		}
		steps, err := ReadScript(&script)
		if err != nil {
			t.Fatal(err)
		}
		if again := Run(Options{Schedule: steps}); !reflect.DeepEqual(first.History, again.History) {
			t.Fatalf("seed %d, replayed from its script, has another history", seed)
		}
	}
}

// A run that tells nothing is the same run.
func TestQuietRunsAreTheSame(t *testing.T) {
	t.Parallel()
	for seed := uint64(20); seed < 25; seed++ {
		if a, b := Run(Options{Seed: seed}), Run(Options{Seed: seed, Quiet: true}); !reflect.DeepEqual(a.History, b.History) {
			t.Errorf("seed %d runs differently when nobody listens", seed)
		}
	}
}

// tellingSeeds are seeds that between them showed everything when they were chosen. That saves a minute or two of
// looking for it; they need not be kept up to date, and the test logs better ones.
var tellingSeeds = []uint64{430, 338, 100, 60, 40, 25, 24, 20, 13, 9, 5, 2}

// What the schedules are for happens in them: a simulator that only idles finds nothing.
//
// How soon each thing happens hangs on every draw before it, so that a new choice of the operator moves all of them: after those that once were
// enough, schedules are run until everything has been seen, and what is too rare for the last of them is too rare to be tested at all.
func TestSchedulesReachWhatMatters(t *testing.T) {
	t.Parallel()
	const schedules = 1000
	said := wanted(
		"dies", "starts", "lost:", "repeated:", "cannot commit", "loads the model again", "notices that its ownership is lost",
		"which is dead, reaches the store", "the store is away", "no longer owns it", "elect ", "exit status 1", "signal: killed", "signal: terminated",
		"is disconnected", "cannot tell whether", "deletes storage", "reboots", "it asked for a reboot",
	)
	landed := wanted(
		"deploy", "add-unit", "remove-unit", "integrate", "remove-relation", "suspend-relation", "resume-relation", "config", "refresh",
		"resolved", "remove-application", "model-config", "host-hello", "unit-hello", "renew-leases", "tick", "elect", "enter-scopes", "leave-scopes",
		"remove-dead-unit", "begin-hook", "commit-hook", "fail-hook", "status-set", "run", "exec", "cancel-task", "begin-task", "finish-task", "action-log", "prune-tasks", "leader-set",
		"install", "start", "config-changed", "upgrade-charm", "stop", "remove", "leader-elected", "leader-settings-changed", "update-status",
		"relation-created", "relation-joined", "relation-changed", "relation-departed", "relation-broken", "action", "juju-exec",
		"add-secret", "update-secret", "grant-secret", "revoke-secret", "remove-secret", "secret-expired", "secret-rotate", "secret-changed", "secret-remove",
		"add-storage", "attach-storage", "detach-storage", "remove-storage", "storage-wiped", "storage-attached", "storage-detaching", "attach-resource",
		"task: terminated", "task: action terminated", "task: unit removed", "task: exit status 3", "task: no",
	)
	var telling []uint64 // the seeds that have shown something first
	for i := range schedules {
		missing := len(said) + len(landed)
		if missing == 0 {
			break
		}
		seed := uint64(i)
		if i < len(tellingSeeds) {
			seed = tellingSeeds[i]
		}
		r := Run(Options{Seed: seed})
		for _, s := range r.Schedule {
			for word := range said {
				if strings.Contains(s.Said, word) {
					delete(said, word)
				}
			}
		}
		for _, e := range r.History {
			delete(landed, e.Command)
			if e.Hook != nil {
				delete(landed, string(e.Hook.Hook.Kind))
			}
			for _, d := range e.Deltas {
				if d.Kind == core.KindTask && d.Status != nil {
					delete(landed, "task: "+d.Status.Message)
				}
			}
		}
		if len(said)+len(landed) < missing {
			telling = append(telling, seed)
		}
	}
	t.Logf("tellingSeeds: %d", telling)
	for word := range said {
		t.Errorf("in %d schedules %q never happened", schedules, word)
	}
	for command := range landed {
		t.Errorf("in %d schedules no %s landed", schedules, command)
	}
}

func wanted(names ...string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, name := range names {
		set[name] = true
	}
	return set
}

func TestReadScriptRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing\n", "go 1\n", "setup\nfly 1\n", "setup\ngo x\n", "setup -1\n"} {
		if _, err := ReadScript(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken for a schedule", text)
		}
	}
}
