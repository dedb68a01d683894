package controller

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kith"
	"kith/internal/core"
)

// Keys makes and checks the credentials of hosts and units. A credential is a
// name and a keyed sum over it: nothing has to be stored or looked up, and it
// is good for as long as the controller's secret and the named thing are.
type Keys struct{ secret []byte }

const secretSize = 32

// NewKeys makes keys from a secret of at least 32 bytes.
func NewKeys(secret []byte) (*Keys, error) {
	if len(secret) < secretSize {
		return nil, kith.Errorf(kith.Invalid, "cannot use the controller's secret: it has %d bytes, and needs %d", len(secret), secretSize)
	}
	return &Keys{secret: secret}, nil
}

// LoadKeys reads the secret in a file, and makes one if there is none.
func LoadKeys(path string) (*Keys, error) {
	secret, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createKeys(path)
	}
	if err != nil {
		return nil, kith.Errorf(kith.Internal, "cannot read the controller's secret: %v", err)
	}
	keys, err := NewKeys(secret)
	if err != nil {
		return nil, kith.Errorf(kith.Invalid, "%v (%s)", err, path).
			WithHint("put back the file from a backup; if no model has secrets, removing it makes a new one")
	}
	return keys, nil
}

// createKeys writes a new secret so that a crash leaves the whole of it or nothing.
func createKeys(path string) (*Keys, error) {
	secret := make([]byte, secretSize)
	rand.Read(secret)
	failed := func(err error) (*Keys, error) {
		return nil, kith.Errorf(kith.Internal, "cannot write the controller's secret: %v", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // 0600 by its nature
	if err != nil {
		return failed(err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(secret)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return failed(err)
	}
	return NewKeys(secret)
}

// Identity is whom a credential stands for. Model is set for units.
type Identity struct {
	core.Actor
	Model kith.ModelUUID
}

// Unit is the credential of a unit.
func (k *Keys) Unit(model kith.ModelUUID, u kith.UnitName) string {
	if k == nil {
		return ""
	}
	return k.sign("unit|" + string(model) + "|" + string(u))
}

// Host is the credential of a host's agent.
func (k *Keys) Host(name string) string { return k.sign("host|" + name) }

// Verify tells whose credential it is. Errors: Unauthenticated.
func (k *Keys) Verify(token string) (Identity, error) {
	bad := kith.Errorf(kith.Unauthenticated, "the credential is not valid").
		WithHint("it was made by another controller, or is damaged")
	body, sum, ok := strings.Cut(token, ".")
	if !ok {
		return Identity{}, bad
	}
	name, err := encoding.DecodeString(body)
	if err != nil {
		return Identity{}, bad
	}
	got, err := encoding.DecodeString(sum)
	if err != nil || !hmac.Equal(got, k.sum(name)) {
		return Identity{}, bad
	}
	parts := strings.Split(string(name), "|")
	switch {
	case len(parts) == 3 && parts[0] == "unit":
		return Identity{core.UnitActor(kith.UnitName(parts[2])), kith.ModelUUID(parts[1])}, nil
	case len(parts) == 2 && parts[0] == "host":
		return Identity{Actor: core.Actor{Kind: core.ActorHost, Name: parts[1]}}, nil
	}
	return Identity{}, bad
}

var encoding = base64.RawURLEncoding

func (k *Keys) sign(name string) string {
	return encoding.EncodeToString([]byte(name)) + "." + encoding.EncodeToString(k.sum([]byte(name)))
}

func (k *Keys) sum(name []byte) []byte {
	h := hmac.New(sha256.New, k.secret)
	h.Write(name)
	return h.Sum(nil)
}
