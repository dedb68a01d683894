package opstest

import (
	"kith"
	"kith/internal/core"
)

// SetModel names the model and gives it an identity; without one it keeps what it has.
// It comes first: once anything else was asked for, a model's name is what it is.
func (h *Harness) SetModel(name string, uuid ...kith.ModelUUID) {
	h.w.tb.Helper()
	if h.w.model.Revision != h.fresh {
		h.w.fail(kith.Errorf(kith.Conflict, "cannot name the model: it exists already").WithHint("call SetModel first"))
	}
	id := h.w.model.Info().UUID
	if len(uuid) > 0 {
		id = uuid[0]
	}
	before := h.w.model
	h.w.model = core.Model{}
	if err := h.w.do(core.System, createModel(name, id)); err != nil {
		h.w.model = before
		h.w.fail(err)
	}
	h.w.must(core.System, h.w.host(core.DefaultHost).hello())
	h.deploy()
}

// SetTrust says whether the application is trusted, which lets its charm ask for the cloud
// and its credentials. config-changed follows.
func (h *Harness) SetTrust(trust bool) {
	h.w.tb.Helper()
	h.do(core.SetConfig{App: h.app, Trust: &trust})
	h.settle()
}

// Address is what network-get says of the unit on every endpoint, and what its databags
// hold from the start. Units of other applications have addresses of their own.
func (h *Harness) Address() string {
	if u := h.w.model.Unit(h.unit); u != nil {
		return u.Address
	}
	return ""
}

// Reboots counts how often the charm has had its machine rebooted. A reboot is followed
// by start; one at once ends the hook, drops what it has written, and runs it again.
func (h *Harness) Reboots() int { return h.w.reboots[h.unit] }

// ReadSecret is what a unit of another application, or a peer, gets when it asks for the newest
// revision of a secret, by the rules for who may. It sees that revision from now on, so that an
// older one may be of use to nobody: secret-remove follows if it was the charm's.
func (h *Harness) ReadSecret(id string, reader kith.UnitName) map[string]string {
	h.w.tb.Helper()
	if h.w.model.Unit(reader) == nil || reader == h.unit {
		h.w.fail(kith.Errorf(kith.Invalid, "cannot read a secret as %q: it is no unit that stands in for others", reader))
	}
	s := h.secret(id)
	v, err := core.ReadSecret(&h.w.model, reader, core.SecretQuery{ID: s.ID, Refresh: true}, h.w.now)
	h.w.ok(err)
	h.act(reader, core.Hook{Kind: core.UpdateStatus}, core.Effects{Secrets: []core.SecretWrite{{ID: s.ID, Track: v.Revision}}})
	h.settle()
	return v.Data.Decoded()
}
