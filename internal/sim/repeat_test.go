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

// What the schedules are for happens in them: a simulator that only idles finds nothing.
func TestSchedulesReachWhatMatters(t *testing.T) {
	t.Parallel()
	const schedules = 100
	said, commands := map[string]int{}, map[string]int{}
	words := []string{"dies", "starts", "lost:", "repeated:", "cannot commit", "loads the model again", "notices that its ownership is lost",
		"which is dead, reaches the store", "the store is away", "no longer owns it", "elect ", "exit status 1", "signal: killed", "signal: terminated",
		"is disconnected", "cannot tell whether"}
	for seed := uint64(100); seed < 100+schedules; seed++ {
		r := Run(Options{Seed: seed})
		for _, s := range r.Schedule {
			for _, word := range words {
				said[word] += strings.Count(s.Said, word)
			}
		}
		for _, e := range r.History {
			commands[e.Command]++
			if e.Hook != nil {
				commands[string(e.Hook.Hook.Kind)]++
			}
			for _, d := range e.Deltas {
				if d.Kind == core.KindTask && d.Status != nil && d.Status.Message != "" {
					commands["task: "+d.Status.Message]++
				}
			}
		}
	}
	for _, word := range words {
		if said[word] == 0 {
			t.Errorf("in %d schedules %q never happened", schedules, word)
		}
	}
	for _, command := range []string{
		"deploy", "add-unit", "remove-unit", "integrate", "remove-relation", "suspend-relation", "resume-relation", "config", "refresh",
		"resolved", "remove-application", "model-config", "host-hello", "unit-hello", "renew-leases", "tick", "elect", "enter-scopes", "leave-scopes",
		"remove-dead-unit", "begin-hook", "commit-hook", "fail-hook", "status-set", "run", "exec", "cancel-task", "begin-task", "finish-task", "action-log", "prune-tasks", "leader-set",
		"install", "start", "config-changed", "upgrade-charm", "stop", "remove", "leader-elected", "leader-settings-changed", "update-status",
		"relation-created", "relation-joined", "relation-changed", "relation-departed", "relation-broken", "action", "juju-exec",
		"add-secret", "update-secret", "grant-secret", "revoke-secret", "remove-secret", "secret-expired", "secret-rotate", "secret-changed", "secret-remove",
		"task: terminated", "task: action terminated", "task: unit removed", "task: exit status 3", "task: no",
	} {
		if commands[command] == 0 {
			t.Errorf("in %d schedules no %s landed", schedules, command)
		}
	}
}

func TestReadScriptRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "# nothing\n", "go 1\n", "setup\nfly 1\n", "setup\ngo x\n", "setup -1\n"} {
		if _, err := ReadScript(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken for a schedule", text)
		}
	}
}
