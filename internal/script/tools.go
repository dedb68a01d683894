package script

import (
	"fmt"
	"os"
	"strings"
	"time"

	"kith"
	"kith/internal/core"
	"kith/internal/hooktool"
)

// shell is a hook being run: the tools it calls are the real ones.
type shell struct {
	w     *World
	unit  kith.UnitName
	hook  core.Hook
	run   *hooktool.Run
	said  []string // what the tools printed, for the script
	began uint64   // the model's revision before it
	retry bool     // it had failed before
}

// newShell starts h of unit u, as the model is now.
func (w *World) newShell(u kith.UnitName, h core.Hook) *shell {
	s := &shell{w: w, unit: u, hook: h, began: w.model.Revision}
	v, _ := core.ViewOf(&w.model, u)
	s.retry = v.Past.Failed != nil
	ctx := v.Context(h, w.now).Placed(place)
	s.run = hooktool.NewRun(&ctx, h, s)
	return s
}

// play runs what is scripted for h; false if a tool failed, which ends the hook.
func (s *shell) play(h core.Hook) bool {
	for _, on := range s.w.handlers {
		if matches(on.unit, on.hook, s.unit, h) && !s.all(on.tools) {
			return false
		}
	}
	return true
}

// all runs tools one after the other, as a shell does under "set -e". One that
// is called through "try" may fail.
func (s *shell) all(tools []string) bool {
	for _, t := range tools {
		words := strings.Fields(strings.ReplaceAll(fullIDs(t), "$unit", string(s.unit)))
		try := takeFlag(&words, "try")
		if !s.exec(words) && !try {
			return false
		}
	}
	return true
}

// exec calls one tool and keeps what it printed.
func (s *shell) exec(words []string) bool {
	result := s.run.Exec(hooktool.Call{Tool: words[0], Args: words[1:], Dir: "/"})
	out, _, _ := strings.Cut(string(result.Stderr), "\n") // the first line is Juju's, hints are not for scripts
	out = strings.TrimRight(string(result.Stdout)+out, "\n")
	if out != "" || words[0] == "relation-list" || words[0] == "relation-ids" {
		s.say(strings.Join(words, " ") + ": " + strings.ReplaceAll(out, "\n", ", "))
	}
	return result.Code == 0
}

func (s *shell) say(line string) { s.said = append(s.said, shortIDs(strings.TrimRight(line, " "))) }

// The methods below make a shell the [hooktool.Host] of its run: reads are live and
// have the unit's identity, as the agent's have.

// Bag reads a databag.
func (s *shell) Bag(id kith.RelationID, owner string) (map[string]string, error) {
	return core.ReadBag(&s.w.model, core.UnitActor(s.unit), id, owner)
}

// IsLeader asks who leads.
func (s *shell) IsLeader() (bool, error) { return s.w.model.IsLeader(s.unit, s.w.now), nil }

// UnitStatus reads the unit's status.
func (s *shell) UnitStatus() (core.Status, error) { return s.w.model.Unit(s.unit).Workload, nil }

// AppStatus reads the application's status.
func (s *shell) AppStatus() (hooktool.AppStatus, error) {
	status := hooktool.AppStatus{Status: s.w.model.App(s.unit.App()).Status, Units: map[kith.UnitName]core.Status{}}
	for u := range s.w.model.UnitsOf(s.unit.App()) {
		status.Units[u.Name] = u.Workload
	}
	return status, nil
}

// SetStatus takes effect at once.
func (s *shell) SetStatus(app bool, status kith.Status, message string) error {
	return s.w.Do(core.UnitActor(s.unit), core.SetStatus{Unit: s.unit, App: app, Status: status, Message: message})
}

// SetVersion takes effect at once.
func (s *shell) SetVersion(version string) error {
	return s.w.Do(core.UnitActor(s.unit), core.SetWorkloadVersion{Unit: s.unit, Version: version})
}

// LeaderSettings reads the application's leader settings.
func (s *shell) LeaderSettings() (map[string]string, error) {
	return s.w.model.App(s.unit.App()).LeaderSettings, nil
}

// SetLeaderSettings takes effect at once.
func (s *shell) SetLeaderSettings(set map[string]string) error {
	return s.w.Do(core.UnitActor(s.unit), core.SetLeaderSettings{Unit: s.unit, Set: set})
}

// GoalState is refused: scripts are about what is, not about what will be.
func (s *shell) GoalState() (hooktool.GoalState, error) {
	return hooktool.GoalState{}, kith.Errorf(kith.Invalid, "cannot answer goal-state: scripts do not have it")
}

// LogAction takes effect at once.
func (s *shell) LogAction(number int, message string) error {
	return s.w.Do(core.UnitActor(s.unit), core.LogTask{Unit: s.unit, Task: s.hook.Task.ID, Number: number, Message: message})
}

// Secret reads the content of a secret.
func (s *shell) Secret(q core.SecretQuery) (core.SecretValue, error) {
	return core.ReadSecret(&s.w.model, s.unit, q, s.w.now)
}

// OwnedSecrets lists the secrets of the unit and its application.
func (s *shell) OwnedSecrets() ([]core.SecretInfo, error) {
	return core.OwnedSecrets(&s.w.model, s.unit), nil
}

// Resource is refused: scripted charms have no files.
func (s *shell) Resource(r core.ResourceContext) (string, error) {
	return "/resources/" + r.Name + "/" + r.Filename, nil
}

// EndHook does nothing: a script kills its hooks itself.
func (s *shell) EndHook() {}

// NewSecretID counts.
func (s *shell) NewSecretID() kith.SecretID { return s.w.newSecretID() }

// Now is what the clock says.
func (s *shell) Now() time.Time { return s.w.now }

// ReadFile finds nothing: scripted charms have no files.
func (s *shell) ReadFile(path string, _ int64) ([]byte, error) {
	return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
}

// WriteFile is refused: scripted charms have no files.
func (s *shell) WriteFile(path string, _ []byte) error {
	return &os.PathError{Op: "open", Path: path, Err: os.ErrPermission}
}

// Log is what juju-log prints into the script.
func (s *shell) Log(level hooktool.Level, message string) {
	s.say(fmt.Sprintf("%s %s", level, message))
}

// Mend makes all hooks succeed and do nothing from now on.
func (w *World) Mend() { w.handlers, w.faults = nil, nil }
