package core

import (
	"kith"
)

// addSecret makes a user's secret (CLI reference, section 14).
func (t *txn) addSecret(op AddSecret) error {
	if err := t.requireAlive(); err != nil {
		return err
	}
	if op.SecretName == "" {
		return kith.Errorf(kith.Invalid, "secret name needs to be supplied as the first argument")
	}
	return t.createSecret(Secret{ID: op.ID, Owner: SecretOwner{Kind: OwnerModel}},
		SecretUpdate{Label: &op.SecretName, Description: &op.Info, Data: op.Data})
}

// userSecret is the secret a user's command names. Charms' secrets are the charms'.
func (t *txn) userSecret(ref string) (*Secret, error) {
	s := t.m.SecretNamed(ref)
	if s == nil {
		return nil, SecretNotFound(ref).WithHint("see 'kith secrets'")
	}
	if s.Owner.Kind != OwnerModel {
		return nil, kith.Errorf(kith.Forbidden, "permission denied").WithHint("secret %q is owned by %s %s: its charm manages it", s.ID, s.Owner.Kind, s.Owner.Name)
	}
	return s, nil
}

func (t *txn) updateUserSecret(op UpdateSecret) error {
	s, err := t.userSecret(op.Secret)
	if err != nil {
		return err
	}
	if op.NewName != nil && *op.NewName == "" {
		return kith.Errorf(kith.Invalid, "secret name %q not valid", *op.NewName)
	}
	return t.updateSecret(*s, SecretUpdate{Label: op.NewName, Description: op.Info, AutoPrune: op.AutoPrune, Data: op.Data})
}

// shareSecret grants a user's secret to applications, or takes it back.
func (t *txn) shareSecret(op GrantSecret) error {
	s, err := t.userSecret(op.Secret)
	if err != nil {
		return err
	}
	for _, app := range op.Apps {
		if t.m.App(app) == nil {
			return kith.Errorf(kith.NotFound, "application %q not found", app).WithHint("see 'kith status'")
		}
	}
	for _, app := range op.Apps {
		g := SecretGrant{Secret: s.ID, Subject: string(app)}
		switch {
		case op.Revoke:
			t.revoke(s.ID, SecretAccess{Subject: string(app)})
		case t.m.secretGrants.get(g.Key().ID) == nil:
			put(t, g)
		}
	}
	if op.Revoke {
		t.forgetConsumers(s.ID)
	}
	return nil
}

func (t *txn) removeUserSecret(op RemoveSecret) error {
	s, err := t.userSecret(op.Secret)
	if err != nil {
		return err
	}
	if op.Revision == 0 {
		t.removeSecret(s.ID)
		return nil
	}
	if t.m.SecretRevision(s.ID, op.Revision) == nil {
		return kith.Errorf(kith.NotFound, "secret revision %q not found", revisionID(s.ID, op.Revision)).
			WithHint("see 'kith show-secret --revisions %s'", s.ID)
	}
	t.removeRevisions(s.ID, []int{op.Revision})
	return nil
}
