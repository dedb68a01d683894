package sim

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"

	"kith"
	"kith/internal/core"
)

// What charms of the cast do about secrets. Each value is a token nobody else writes.

// share makes a secret, of the unit or of the application it leads, grants it over the hook's
// relation and tells the others its name.
func (h *hookRun) share() string {
	owner := []string{"unit", "application", ""}[h.u.w.pick(3)]
	if owner == "" || owner == "application" && !h.leads() {
		return ""
	}
	words := append([]string{"secret-add", "--owner", owner, "password=" + h.token + ".new"}, [][]string{nil, {"--rotate", "hourly"}, {"--expire", "10m"}}[h.u.w.pick(3)]...)
	uri, ok := h.tool(words...)
	if !ok {
		return "exit status 1"
	}
	return h.must([]string{"secret-grant", uri}, []string{"relation-set", "secret=" + uri})
}

// learn reads the secret that the other side has named. It may have been taken back since.
func (h *hookRun) learn() string {
	if h.shared != "" {
		h.tool(append([]string{"secret-get", "--format", "json", h.shared}, [][]string{nil, {"--label", h.shared}}[h.u.w.pick(2)]...)...)
	}
	return ""
}

// renew gives a secret the unit manages new content, or tries to read whichever there is.
func (h *hookRun) renew() string {
	switch h.u.w.pick(4) {
	case 2:
		return ""
	case 3:
		h.pry()
		return ""
	}
	out, _ := h.tool("secret-ids", "--format", "json")
	var ids []string
	if json.Unmarshal([]byte(out), &ids) != nil || len(ids) == 0 {
		return ""
	}
	return h.must([]string{"secret-set", ids[h.u.w.pick(len(ids))], "password=" + h.token + ".set"})
}

// pry asks for any secret of the model.
func (h *hookRun) pry() {
	m, err := h.model()
	if err != nil {
		return
	}
	all := slices.Collect(m.Secrets())
	if len(all) > 0 {
		h.tool("secret-get", all[h.u.w.pick(len(all))].ID.URI())
	}
}

// secretHook does what the hook is for, most of the time.
func (h *hookRun) secretHook() string {
	s, slack := h.a.Hook.Secret, h.u.w.pick(4) == 3
	uri, revision := s.ID.URI(), strconv.Itoa(s.Revision)
	switch {
	case slack:
	case h.a.Hook.Kind == core.SecretChanged:
		how := []string{"--refresh", "--refresh", "--peek"}[h.u.w.pick(3)]
		h.tool("secret-get", uri, how) // it may have been taken back since the hook was chosen
		h.tool("secret-get", uri)
	case h.a.Hook.Kind == core.SecretRotate:
		h.tool("secret-set", uri, "password="+h.token+".rotated")
	default:
		h.tool("secret-remove", uri, "--revision", revision)
	}
	return ""
}

// ownerOf is a unit that manages a secret; u if there is none.
func ownerOf(m *core.Model, id kith.SecretID, u kith.UnitName) kith.UnitName {
	s := m.Secret(id)
	switch {
	case s == nil:
	case s.Owner.Kind == core.OwnerUnit:
		return kith.UnitName(s.Owner.Name)
	case s.Owner.Kind == core.OwnerApp:
		if l := m.Lease(kith.AppName(s.Owner.Name)); l != nil {
			return l.Holder
		}
	}
	return u
}

// What the operator does about secrets.

func (w *World) addSecret() core.Op {
	id := w.newSecretID()
	return core.AddSecret{ID: id, SecretName: "user-" + string(id), Data: w.operatorsContent()}
}

// operatorsContent is content nobody else writes: the next command has the number.
func (w *World) operatorsContent() core.SecretData {
	return core.SecretData{"password": base64.StdEncoding.EncodeToString([]byte("admin-" + strconv.Itoa(w.operators+1)))}
}

// someSecret is one of the model's, now and then a charm's; none if there is none.
func (w *World) someSecret() string {
	var all []string
	for s := range w.model().Secrets() {
		if s.Owner.Kind == core.OwnerModel || w.pick(10) == 9 {
			all = append(all, string(s.ID))
		}
	}
	if len(all) == 0 {
		return "nothing0000000000000"
	}
	return all[w.pick(len(all))]
}

func (w *World) updateSecret() core.Op {
	op := core.UpdateSecret{Secret: w.someSecret(), Data: w.operatorsContent()}
	if prune := w.pick(3) == 1; prune {
		op.AutoPrune = &prune
	}
	return op
}

func (w *World) grantSecret() core.Op {
	if w.pick(3) == 2 {
		var all []core.GrantSecret
		for s := range w.model().Secrets() {
			for g := range w.model().SecretGrants(s.ID) {
				if g.Relation == nil {
					all = append(all, core.GrantSecret{Secret: string(s.ID), Apps: []kith.AppName{kith.AppName(g.Subject)}, Revoke: true})
				}
			}
		}
		if len(all) > 0 {
			return all[w.pick(len(all))]
		}
	}
	return core.GrantSecret{Secret: w.someSecret(), Apps: []kith.AppName{w.someApp()}}
}

func (w *World) removeSecret() core.Op {
	return core.RemoveSecret{Secret: w.someSecret(), Revision: w.pick(3)}
}
