package api

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"kith"
	"kith/internal/core"
)

// NewSecretID draws an id for a secret that is being made: the time in seconds, so that ids
// sort by age, and eight random bytes.
func NewSecretID(now time.Time) kith.SecretID {
	var raw [kith.SecretIDBytes]byte
	rand.Read(raw[:])
	binary.BigEndian.PutUint32(raw[:], uint32(now.Unix()))
	return kith.NewSecretID(raw)
}

// Secret is a secret as operators see it (CLI reference, section 5.11).
type Secret struct {
	core.SecretInfo
	Revisions []SecretRevision `json:"revisions"` // oldest first
	// Content is one revision's, Checksum the sum over it; there only if it was asked for.
	Content  core.SecretData `json:"content,omitempty"`
	Checksum string          `json:"checksum,omitempty"`
	// Shown is the revision that Content is of; 0 for none.
	Shown int `json:"shown,omitempty"`
}

// SecretRevision is one revision of a secret.
type SecretRevision struct {
	Number  int       `json:"number"`
	Created time.Time `json:"created"`
	Updated time.Time `json:"updated"`
	Expires time.Time `json:"expires,omitzero"`
}

// SecretQuery says how much of a secret is wanted.
type SecretQuery struct {
	Reveal   bool
	Revision int // whose content; 0: the newest
}

// SecretsOf lists the secrets of a model by id, without any content. An owner, if one is named, is an
// application, a unit, or the model by its name or as "<model>".
func SecretsOf(m *core.Model, owner string) []Secret {
	all := []Secret{}
	for s := range m.Secrets() {
		isModels := s.Owner.Kind == core.OwnerModel && m.Info() != nil && owner == m.Info().Name
		if owner == "" || owner == s.Owner.String() || isModels || owner == string(s.Owner.Kind)+"-"+strings.ReplaceAll(s.Owner.Name, "/", "-") {
			all = append(all, secretOf(m, s))
		}
	}
	return all
}

func secretOf(m *core.Model, s *core.Secret) Secret {
	out := Secret{SecretInfo: core.SecretInfoOf(m, s)}
	for _, r := range m.SecretRevisions(s.ID) {
		out.Revisions = append(out.Revisions, SecretRevision{Number: r.Number, Created: r.Created, Updated: r.Updated, Expires: r.Expires})
	}
	return out
}

// SecretOf is one secret, named by id or name. Errors: NotFound.
func SecretOf(m *core.Model, name string, q SecretQuery) (Secret, error) {
	s := m.SecretNamed(name)
	if s == nil {
		return Secret{}, core.SecretNotFound(name).WithHint("see 'kith secrets'")
	}
	out := secretOf(m, s)
	if !q.Reveal {
		if q.Revision != 0 && m.SecretRevision(s.ID, q.Revision) == nil {
			return Secret{}, kith.Errorf(kith.NotFound, "secret revision %q not found", string(s.ID)+"/"+strconv.Itoa(q.Revision))
		}
		return out, nil
	}
	data, err := core.RevealSecret(m, s.ID, q.Revision)
	if err != nil {
		return Secret{}, err
	}
	out.Content, out.Shown, out.Checksum = data, q.Revision, checksum(data)
	if out.Shown == 0 {
		out.Shown = s.Latest
	}
	return out, nil
}

// checksum is a sum over a content: equal for equal contents.
func checksum(data core.SecretData) string {
	text, err := json.Marshal(map[string]string(data)) // sorted by key
	if err != nil {
		return "" // a map of strings has a JSON form
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
