package ops

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kith"
)

func (b *toolBackend) SecretAdd(o SecretOwner, s SecretSpec, content map[string]string) (string, error) {
	args := append(specArgs(s), "--owner", string(o))
	out, err := b.do(ToolCall{Tool: "secret-add", Args: args, Private: contentArgs(content)})
	return strings.TrimSpace(string(out)), err
}

func (b *toolBackend) SecretSet(id string, s SecretSpec, content map[string]string) error {
	_, err := b.do(ToolCall{Tool: "secret-set", Args: append(specArgs(s), id), Private: contentArgs(content)})
	return err
}

// specArgs are the options of secret-add and secret-set.
func specArgs(s SecretSpec) []string {
	expire := ""
	switch {
	case !s.Expire.IsZero():
		expire = s.Expire.UTC().Format(time.RFC3339)
	case s.ExpireIn != 0:
		expire = s.ExpireIn.String()
	}
	var args []string
	for _, o := range []struct{ name, value string }{
		{"--label", s.Label}, {"--description", s.Description}, {"--expire", expire}, {"--rotate", string(s.Rotate)},
	} {
		if o.value != "" {
			args = append(args, o.name, o.value)
		}
	}
	return args
}

// contentArgs are a secret's content, in a form that carries any bytes.
func contentArgs(content map[string]string) []string {
	var args []string
	for _, k := range slices.Sorted(maps.Keys(content)) {
		args = append(args, k+"#base64="+base64.StdEncoding.EncodeToString([]byte(content[k])))
	}
	return args
}

func (b *toolBackend) SecretGet(id, label string, which SecretRevision) (map[string]string, error) {
	args := []string{jsonFormat}
	if id != "" {
		args = append(args, id)
	}
	if label != "" {
		args = append(args, "--label", label)
	}
	switch which {
	case RefreshRevision:
		args = append(args, "--refresh")
	case PeekRevision:
		args = append(args, "--peek")
	case TrackedRevision:
	}
	var content map[string]string
	err := b.query(&content, "secret-get", args...)
	return content, err
}

func (b *toolBackend) SecretInfo(id, label string) (SecretInfo, error) {
	args := []string{jsonFormat, id}
	if id == "" {
		args = []string{jsonFormat, "--label", label}
	}
	var out map[string]struct {
		Revision    int          `json:"revision"`
		Label       string       `json:"label"`
		Owner       SecretOwner  `json:"owner"`
		Description string       `json:"description"`
		Rotation    SecretRotate `json:"rotation"`
		Expiry      string       `json:"expiry"`
		Rotates     string       `json:"rotates"`
	}
	if err := b.query(&out, "secret-info-get", args...); err != nil {
		return SecretInfo{}, err
	}
	for id, s := range out { // any order: there is one
		return SecretInfo{
			ID: id, Label: s.Label, Description: s.Description, Revision: s.Revision, Owner: s.Owner,
			Rotation: s.Rotation, Expires: parseTime(s.Expiry), Rotates: parseTime(s.Rotates),
		}, nil
	}
	return SecretInfo{}, kith.Errorf(kith.Internal, "cannot read the output of secret-info-get: it names no secret")
}

func (b *toolBackend) SecretIDs() ([]string, error) {
	var ids []string
	err := b.query(&ids, "secret-ids", jsonFormat)
	slices.Sort(ids)
	return ids, err
}

func (b *toolBackend) SecretGrant(id string, r RelationRef, unit kith.UnitName) error {
	return b.run("secret-grant", grantArgs(id, r, unit)...)
}

func (b *toolBackend) SecretRevoke(id string, r RelationRef, unit kith.UnitName) error {
	return b.run("secret-revoke", grantArgs(id, r, unit)...)
}

func grantArgs(id string, r RelationRef, unit kith.UnitName) []string {
	args := []string{"--relation", r.ID.String()}
	if unit != "" {
		args = append(args, "--unit", string(unit))
	}
	return append(args, id)
}

func (b *toolBackend) SecretRemove(id string, revision int) error {
	if revision == 0 {
		return b.run("secret-remove", id)
	}
	return b.run("secret-remove", id, "--revision", strconv.Itoa(revision))
}

// parseTime reads the times hook tools print; what is none is the zero time.
func parseTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	return time.Time{}
}
