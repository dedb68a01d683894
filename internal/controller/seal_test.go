package controller

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"kith"
	"kith/internal/core"
	"kith/internal/store"
)

func testKeys(t testing.TB) *Keys {
	t.Helper()
	keys, err := NewKeys(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// The secrets a random driver plays with.
var driverSecrets = []kith.SecretID{"00000000000000000001", "00000000000000000002"}

// secretWrite is what a unit's hook does to a secret, mostly what it may do.
func (d *randomDriver) secretWrite(u kith.UnitName) core.SecretWrite {
	w, m := core.SecretWrite{ID: driverSecrets[d.rnd.IntN(len(driverSecrets))]}, d.w.e.Snapshot()
	data := core.SecretData{"key": []string{"YQ==", "Yg==", "Yw=="}[d.rnd.IntN(3)]}
	v, err := core.ReadSecret(m, u, core.SecretQuery{ID: w.ID, Refresh: true}, d.w.now)
	n := d.rnd.IntN(20)
	switch {
	case m.Secret(w.ID) == nil:
		w.Create, w.Data = []core.OwnerKind{core.OwnerUnit, core.OwnerApp}[d.rnd.IntN(2)], data
		w.Rotate = new([]core.RotatePolicy{core.RotateNever, core.RotateHourly}[d.rnd.IntN(2)])
		w.Expires = new(d.w.now.Add(time.Duration(d.rnd.IntN(900)) * time.Second))
	case err == nil && !v.Manages || n < 4:
		w.Track = v.Revision
	case n < 12:
		w.Data = data
	case n < 16:
		for r := range m.RelationsOf(u.App()) {
			if other := r.Ends[0].App; !r.Peer() && other != u.App() {
				w.Grants = append(w.Grants, core.SecretAccess{Subject: string(other), Relation: &r.ID})
			} else if !r.Peer() {
				w.Grants = append(w.Grants, core.SecretAccess{Subject: string(r.Ends[1].App), Relation: &r.ID})
			}
		}
	case n < 19:
		w.RemoveRevisions = []int{1 + d.rnd.IntN(2)}
	default:
		w.Remove = true
	}
	return w
}

func (d *randomDriver) userSecret(app kith.AppName) {
	id := string(driverSecrets[d.rnd.IntN(len(driverSecrets))])
	switch d.rnd.IntN(4) {
	case 0:
		d.submit(admin, core.AddSecret{ID: kith.SecretID(id), SecretName: "token", Data: core.SecretData{"key": "YQ=="}})
	case 1:
		d.submit(admin, core.UpdateSecret{Secret: id, Data: core.SecretData{"key": []string{"YQ==", "Yg=="}[d.rnd.IntN(2)]}})
	case 2:
		d.submit(admin, core.GrantSecret{Secret: id, Apps: []kith.AppName{app}, Revoke: d.rnd.IntN(3) == 0})
	default:
		d.submit(admin, core.RemoveSecret{Secret: id})
	}
}

// What is sealed opens again in its place, and nowhere else, and not when anything about it has changed.
func TestSeal(t *testing.T) {
	t.Parallel()
	sealer := testKeys(t).Sealer(testModel)
	c := core.SecretContent{Secret: driverSecrets[0], Number: 3, Data: core.SecretData{"password": "cGxhbnRlZC12YWx1ZQ==", "user-name": "YWRtaW4="}}
	id := c.Key().ID
	stored, err := sealer.Seal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"cGxhbnRlZC12YWx1ZQ", "planted-value", "password", "user-name"} {
		if bytes.Contains(stored, []byte(part)) {
			t.Errorf("%q can be read in %s", part, stored)
		}
	}
	back, err := sealer.Open(id, stored)
	if err != nil {
		t.Fatal(err)
	}
	entity, err := core.Decode(core.KindSecretContent, id, back)
	if err != nil || toJSON(entity) != toJSON(c) {
		t.Errorf("it opens as %s (%v)", back, err)
	}
	again, err := testKeys(t).Sealer(testModel).Seal(c)
	if err != nil || string(again) != string(stored) {
		t.Errorf("sealed again it is %s (%v), not %s", again, err, stored)
	}

	refuse := func(what string, s *Sealer, id string, stored []byte) {
		t.Helper()
		opened, err := s.Open(id, stored)
		if err == nil {
			t.Errorf("%s opens as %s", what, opened)
			return
		}
		if kith.CodeOf(err) != kith.Internal || !strings.Contains(kith.HintOf(err), "secret.key") || strings.Contains(err.Error(), "cGxhbnRlZC12YWx1ZQ") {
			t.Errorf("%s: %v (%s)", what, err, kith.HintOf(err))
		}
	}
	other, err := NewKeys([]byte("another secret that is long enough"))
	if err != nil {
		t.Fatal(err)
	}
	refuse("another secret", other.Sealer(testModel), id, stored)
	refuse("another model", testKeys(t).Sealer("other"), id, stored)
	refuse("another revision", sealer, string(c.Secret)+"/4", stored)
	refuse("no key", nil, id, stored)
	refuse("no JSON", sealer, id, []byte("x"))
	refuse("plain content", sealer, id, []byte(toJSON(c)))
	var row sealed
	if err := json.Unmarshal(stored, &row); err != nil {
		t.Fatal(err)
	}
	for i := range row.Content {
		row.Content[i] ^= 1
		refuse(fmt.Sprintf("byte %d changed", i), sealer, id, []byte(toJSON(row)))
		row.Content[i] ^= 1
	}
	if _, err := (*Sealer)(nil).Seal(c); err == nil {
		t.Error("content is stored without a key")
	}
}

// A controller that comes back has its secrets; one with another secret says why it cannot load the model.
// What is in the store tells nothing: neither content, nor history, nor anything else.
func TestSecretsSurviveRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := w.model("m")
	for n, value := range []string{"cGxhbnRlZC12YWx1ZQ==", "b3RoZXItdmFsdWU="} {
		op := core.Op(core.AddSecret{ID: driverSecrets[0], SecretName: "token", Data: core.SecretData{"password": value}})
		if n > 0 {
			op = core.UpdateSecret{Secret: "token", Data: core.SecretData{"password": value}}
		}
		if _, err := m.Submit(t.Context(), admin, op); err != nil {
			t.Fatal(err)
		}
	}
	if data, err := core.RevealSecret(m.Snapshot(), driverSecrets[0], 2); err != nil || data.Decoded()["password"] != "other-value" {
		t.Errorf("before: %v, %v", data, err)
	}
	w.stop()
	st := w.server.Open(store.Identity{ID: "reader"})
	snap, err := st.Load(t.Context(), m.ID)
	if err != nil {
		t.Fatal(err)
	}
	records, err := st.History(t.Context(), m.ID, 0, 1<<60, 100, store.OldestFirst)
	if err != nil || len(records) == 0 || len(snap.Entities) == 0 {
		t.Fatal(records, err)
	}
	sealedRows := 0
	for _, e := range snap.Entities {
		if e.Kind == string(core.KindSecretContent) {
			sealedRows++
		}
		noSecrets(t, "row "+e.Kind+" "+e.ID, e.Value)
	}
	for _, r := range records {
		noSecrets(t, fmt.Sprintf("record %d", r.Revision), r.Value)
	}
	if sealedRows != 2 {
		t.Errorf("%d rows of content", sealedRows)
	}

	again := openWorld(t, w.server, "one")
	found, err := again.c.Model("m")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{"planted-value", "other-value"} {
		if data, err := core.RevealSecret(found.Snapshot(), driverSecrets[0], n+1); err != nil || data.Decoded()["password"] != want {
			t.Errorf("revision %d after: %v, %v", n+1, data, err)
		}
	}
	again.stop()
	keys, err := NewKeys([]byte("another secret that is long enough"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), Options{Store: w.server.Open(store.Identity{ID: "one"}), Keys: keys})
	if err == nil || !strings.Contains(err.Error(), "cannot open the content of secret revision") {
		t.Errorf("with another secret.key: %v", err)
	}
}

func noSecrets(t *testing.T, what string, text []byte) {
	t.Helper()
	for _, part := range []string{"cGxhbnRlZC12YWx1ZQ", "planted-value", "b3RoZXItdmFsdWU", "other-value"} {
		if bytes.Contains(text, []byte(part)) {
			t.Errorf("%s tells %q: %s", what, part, text)
		}
	}
}

// The same of secrets, in a small model at rest whose units do much with them: who reads one is looked
// at when it changes, who owns one when it is obsolete, and all when their time has come (C4).
func TestSchedulerKnowsOfSecrets(t *testing.T) {
	t.Parallel()
	for seed := range uint64(25) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			d := newRandomDriver(t, 100+seed)
			host := core.Actor{Kind: core.ActorHost, Name: "local"}
			d.submit(admin, core.AddUnits{App: "web", Units: 2})
			d.submit(admin, core.AddUnits{App: "db", Units: 2})
			d.submit(admin, core.Integrate{A: kith.Endpoint{App: "web", Name: "db"}, B: kith.Endpoint{App: "db", Name: "server"}})
			d.w.turn()
			for u := range d.w.e.Snapshot().Units() {
				d.submit(host, core.UnitHello{Unit: u.Name})
			}
			for n := range 400 {
				switch unit, _ := d.unit(); {
				case n < 150 || d.rnd.IntN(3) > 0:
					d.runOffered()
				case d.rnd.IntN(10) == 0:
					d.w.now = d.w.now.Add(time.Duration(d.rnd.IntN(1800))*time.Second + time.Millisecond)
					d.w.e.Advance(d.w.now)
				case d.rnd.IntN(10) == 0:
					d.submit(core.System, core.Elect{Unit: unit})
				default:
					p := d.w.e.Snapshot().Progress(unit)
					d.submit(core.UnitActor(unit), core.CommitHook{Unit: unit, Seq: p.Seq + 1, Hook: core.Hook{Kind: core.UpdateStatus}, Epoch: fmt.Sprint(d.epoch),
						Effects: core.Effects{Secrets: []core.SecretWrite{d.secretWrite(unit)}}})
				}
				d.w.turn()
				d.take()
				d.compare()
			}
		})
	}
}

// runOffered runs the first hook that is on offer.
func (d *randomDriver) runOffered() {
	for _, unit := range sortedKeys(d.offers) {
		a := d.offers[unit]
		d.submit(core.UnitActor(unit), core.CommitHook{Unit: unit, Seq: a.Seq, Hook: a.Hook, Epoch: fmt.Sprint(d.epoch)})
		return
	}
}
