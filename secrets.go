package kith

import (
	"encoding/base32"
	"regexp"
	"strings"
)

// SecretID identifies a secret: 20 characters 0-9a-v, the form of an xid.
type SecretID string

// SecretIDBytes is how many bytes a [SecretID] stands for.
const SecretIDBytes = 12

// secretAlphabet is that of base32 which keeps the order of the bytes, in lower case.
const secretAlphabet = "0123456789abcdefghijklmnopqrstuv"

var (
	secretPattern    = regexp.MustCompile(`^[0-9a-z]{20}$`)
	secretKeyPattern = regexp.MustCompile(`^[a-z](?:-?[a-z0-9]){2,}$`)
	uuidPattern      = regexp.MustCompile(`^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// NewSecretID makes an id from bytes that were drawn elsewhere. Ids sort as their bytes do.
func NewSecretID(raw [SecretIDBytes]byte) SecretID {
	return SecretID(base32.NewEncoding(secretAlphabet).WithPadding(base32.NoPadding).EncodeToString(raw[:]))
}

// URI is how charms and people name the secret: "secret:ID".
func (id SecretID) URI() string { return "secret:" + string(id) }

// ParseSecretURI reads "secret:ID", "ID" or "secret://MODEL-UUID/ID" (hook protocol
// reference, section 12.1). The model is empty where none is named. Errors: Invalid.
func ParseSecretURI(s string) (SecretID, ModelUUID, error) {
	id, model := strings.TrimPrefix(s, "secret:"), ""
	if rest, ok := strings.CutPrefix(id, "//"); ok && id != s {
		model, id, _ = strings.Cut(rest, "/")
		if !uuidPattern.MatchString(model) {
			id = ""
		}
	}
	if !secretPattern.MatchString(id) {
		return "", "", Errorf(Invalid, "secret URI %q not valid", s).
			WithHint("a secret is named secret:ID, with an ID of 20 lower-case letters and digits")
	}
	return SecretID(id), ModelUUID(model), nil
}

// ValidSecretKey reports whether s can name a value in a secret: at least three
// characters, lower case, beginning with a letter.
func ValidSecretKey(s string) bool { return secretKeyPattern.MatchString(s) }
