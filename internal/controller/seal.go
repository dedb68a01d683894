package controller

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"

	"kith"
	"kith/internal/core"
)

// Sealer seals the content of a model's secrets, so that what is stored tells nothing to who
// has the store but not the controller's secret: a backup, a disk, the etcd beside.
//
// The cipher is AES-256-GCM. Its key, and that of the nonces, come from the controller's secret and the model
// by HKDF-SHA-256. The nonce of a row is a keyed sum over its place and its plain text: two
// different contents never share one, and the same content in the same place has the same sealed form, so that a batch
// can be encoded again. The place (model and row) is authenticated: a sealed row that was put
// elsewhere does not open.
type Sealer struct {
	model  kith.ModelUUID
	aead   cipher.AEAD
	nonces []byte // the key of the nonces
}

// The labels that tell the keys derived from one secret apart.
const (
	sealKeyLabel   = "kith secret content, key: "
	sealNonceLabel = "kith secret content, nonce: "
)

// Sealer is that of one model.
func (k *Keys) Sealer(model kith.ModelUUID) *Sealer {
	if k == nil {
		return nil
	}
	derive := func(label string) []byte {
		key, err := hkdf.Key(sha256.New, k.secret, nil, label+string(model), sha256.Size)
		if err != nil {
			panic("controller: " + err.Error()) // only for keys longer than HKDF can make
		}
		return key
	}
	block, err := aes.NewCipher(derive(sealKeyLabel))
	if err != nil {
		panic("controller: " + err.Error()) // only for keys of another length
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("controller: " + err.Error()) // only for blocks of another size
	}
	return &Sealer{model: model, aead: aead, nonces: derive(sealNonceLabel)}
}

// sealed is the stored form of a core.SecretContent. Content is the nonce and what the cipher
// made of the JSON of the data.
type sealed struct {
	Secret  kith.SecretID `json:"secret"`
	Number  int           `json:"number"`
	Content []byte        `json:"content"`
}

// Seal is the stored form of a content. Errors: Internal, without a key.
func (s *Sealer) Seal(c core.SecretContent) ([]byte, error) {
	if s == nil {
		return nil, kith.Errorf(kith.Internal, "cannot store secret content: this engine has no key")
	}
	plain, err := json.Marshal(c.Data)
	if err != nil {
		return nil, err
	}
	place := s.place(c.Key().ID)
	sum := hmac.New(sha256.New, s.nonces)
	sum.Write(place)
	sum.Write(plain)
	nonce := sum.Sum(nil)[:s.aead.NonceSize()]
	return json.Marshal(sealed{c.Secret, c.Number, s.aead.Seal(nonce, nonce, plain, place)})
}

// place names a row. Neither part of it has a NUL.
func (s *Sealer) place(id string) []byte { return []byte(string(s.model) + "\x00" + id) }

// Open turns a stored row into the JSON of the entity. Errors: Internal; none tells anything of the content.
func (s *Sealer) Open(id string, stored []byte) ([]byte, error) {
	var row sealed
	if s == nil || json.Unmarshal(stored, &row) != nil || len(row.Content) < s.aead.NonceSize() {
		return nil, unopened(id)
	}
	nonce, box := row.Content[:s.aead.NonceSize()], row.Content[s.aead.NonceSize():]
	plain, err := s.aead.Open(nil, nonce, box, s.place(id))
	if err != nil {
		return nil, unopened(id)
	}
	c := core.SecretContent{Secret: row.Secret, Number: row.Number}
	if json.Unmarshal(plain, &c.Data) != nil {
		return nil, unopened(id)
	}
	return json.Marshal(c)
}

func unopened(id string) error {
	return kith.Errorf(kith.Internal, "cannot open the content of secret revision %q", id).
		WithHint("it was sealed with another controller's secret.key, or the store is damaged: restore both from one backup")
}
