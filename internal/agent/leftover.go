package agent

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// leftover names the process of a hook, so that the next life of the agent can
// end it if this one is killed. Start is there because process ids are used again.
type leftover struct {
	PID   int    `json:"pid"`
	Start string `json:"start"`
	Boot  string `json:"boot"`
}

// recordProcess notes that pid is the unit's hook. A note that cannot be written
// only costs the clean-up after a crash, so the hook goes on.
func recordProcess(path, boot string, pid int) error {
	start, err := processStart(pid)
	if err != nil {
		return err
	}
	note, err := json.Marshal(leftover{PID: pid, Start: start, Boot: boot})
	if err != nil {
		return err
	}
	return os.WriteFile(path, note, 0o600)
}

// endLeftover kills the hook that an earlier life of the agent was running, if it
// still runs: the controller counts it as failed, nobody hears its hook tools any
// more, and the next try must not run beside it. It waits until the process is
// gone, and reports whether there was one.
func endLeftover(ctx context.Context, path, boot string) (bool, error) {
	note, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var l leftover
	found := json.Unmarshal(note, &l) == nil && l.PID > 0 && l.Boot == boot && l.runs()
	if found {
		if err := l.kill(ctx); err != nil {
			return true, err
		}
	}
	return found, os.Remove(path)
}

func (l leftover) runs() bool {
	start, err := processStart(l.PID)
	return err == nil && start == l.Start
}

// kill ends the process and waits: there is nothing to wait on but its absence,
// since it is not our child.
func (l leftover) kill(ctx context.Context) error {
	if err := syscall.Kill(l.PID, syscall.SIGKILL); err != nil && err != syscall.ESRCH {
		return err
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for l.runs() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
