package hooktool_test

import (
	"encoding/base64"
	"fmt"
	"time"

	"kith"
	"kith/internal/core"
)

// The secrets of the model of section 18. web/0 owns mine, web owns ours; theirs is pg's,
// granted over relation 4, and web/0 sees its first revision of two; hidden was granted to nobody.
const (
	mine   kith.SecretID = "mine0000000000000000"
	ours   kith.SecretID = "ours0000000000000000"
	theirs kith.SecretID = "theirs00000000000000"
	hidden kith.SecretID = "hidden00000000000000"
)

// secretModel is as much of a model as secrets need.
func secretModel() *core.Model {
	m := &core.Model{}
	put := func(e core.Entity) { core.Apply(m, core.Put(e)) }
	at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, app := range []kith.AppName{"web", "pg"} {
		put(&core.App{Name: app, Life: kith.Alive})
		for n := range 2 {
			put(&core.Unit{Name: kith.UnitOf(app, n), App: app, Life: kith.Alive})
		}
	}
	four := kith.RelationID(4)
	put(&core.Relation{ID: four, Life: kith.Alive, Ends: []core.End{{App: "web", Endpoint: "db", Role: kith.Requirer}, {App: "pg", Endpoint: "db", Role: kith.Provider}}})
	secret := func(s core.Secret, values ...string) {
		s.Latest, s.Numbered, s.Created, s.Updated = len(values), len(values), at, at
		put(&s)
		for n, v := range values {
			put(&core.SecretRevision{Secret: s.ID, Number: n + 1, Created: at})
			put(&core.SecretContent{Secret: s.ID, Number: n + 1, Data: core.SecretData{
				"password": base64.StdEncoding.EncodeToString([]byte(v)), "username": "YWRtaW4="}})
		}
	}
	secret(core.Secret{ID: mine, Owner: core.UnitOwner("web/0"), Label: "my-label"}, "mine-1", "mine-2")
	secret(core.Secret{ID: ours, Owner: core.AppOwner("web"), Label: "shared", Description: "admin password", Rotate: core.RotateMonthly,
		NextRotate: time.Date(2025, 2, 1, 0, 0, 0, 5e8, time.UTC)}, "ours-1")
	secret(core.Secret{ID: theirs, Owner: core.AppOwner("pg"), Label: "pgs-own"}, "theirs-1", "theirs-2")
	secret(core.Secret{ID: hidden, Owner: core.AppOwner("pg")}, "hidden-1")
	put(&core.SecretGrant{Secret: theirs, Subject: "web", Relation: &four})
	put(&core.SecretGrant{Secret: ours, Subject: "pg", Relation: &four})
	put(&core.SecretConsumer{Secret: theirs, Unit: "web/0", Label: "db-password", Revision: 1})
	return m
}

// model is the model with who leads now.
func (h *host) model() *core.Model {
	leader := kith.UnitName("web/1")
	if h.leader {
		leader = "web/0"
	}
	lease := core.Lease{App: "web", Holder: leader, Expires: h.now.Add(time.Minute)}
	core.Apply(h.secrets, core.Put(&lease))
	return h.secrets
}

func (h *host) Secret(q core.SecretQuery) (core.SecretValue, error) {
	h.asked = append(h.asked, fmt.Sprintf("secret %s%s refresh=%v peek=%v", q.ID, q.Label, q.Refresh, q.Peek))
	if h.broken != nil {
		return core.SecretValue{}, h.broken
	}
	return core.ReadSecret(h.model(), "web/0", q, h.now)
}

func (h *host) OwnedSecrets() ([]core.SecretInfo, error) {
	h.asked = append(h.asked, "owned secrets")
	return core.OwnedSecrets(h.model(), "web/0"), h.broken
}

func (h *host) NewSecretID() kith.SecretID {
	h.ids++
	return kith.SecretID(fmt.Sprintf("new%017d", h.ids))
}

func (h *host) Now() time.Time { return h.now }
