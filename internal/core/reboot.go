package core

import (
	"slices"
	"strings"

	"kith"
)

// BootOf is the part of an agent's epoch that names the life of its computer:
// what stands before a slash. Empty if the agent does not know.
func BootOf(epoch string) string {
	boot, _, ok := strings.Cut(epoch, "/")
	if !ok {
		return ""
	}
	return boot
}

// rebootMachine has the units of a machine run start once more, as after its reboot.
func (t *txn) rebootMachine(id kith.MachineID) {
	for _, u := range slices.Collect(t.m.Units()) {
		if u.Machine == id {
			t.rebooted(u.Name)
		}
	}
}

// rebooted notes that a unit has to run start once more (hook protocol reference, section 3.8).
func (t *txn) rebooted(u kith.UnitName) {
	if past := *t.m.Progress(u); past.Started && !past.Rebooted {
		past.Rebooted, past.RebootRev = true, t.rev
		put(t, past)
	}
}
