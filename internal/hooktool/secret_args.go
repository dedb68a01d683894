package hooktool

import (
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"kith"
	"kith/internal/core"
)

const (
	base64Suffix = "#base64"
	fileSuffix   = "#file"
)

// secretID reads the id that stands first in the arguments (section 12.1).
func secretID(args []string) (id kith.SecretID, rest []string, err error) {
	if len(args) == 0 {
		return "", nil, usageError("missing secret URI")
	}
	id, err = parseSecretID(args[0])
	return id, args[1:], err
}

func parseSecretID(s string) (kith.SecretID, error) {
	id, _, err := kith.ParseSecretURI(s)
	if err != nil {
		return "", usageError(err.Error())
	}
	return id, nil
}

// secretOptions are the options of secret-add and secret-set.
type secretOptions struct {
	i      *invocation
	owner  *string
	file   *string
	label  *string
	text   *string
	rotate *string
	expire *string
}

func (i *invocation) secretOptions() *secretOptions {
	o := &secretOptions{i: i,
		owner:  i.text("OWNER", "who owns the secret: application or unit", "owner"),
		label:  i.text("LABEL", "what this unit calls the secret", "label"),
		text:   i.text("TEXT", "what the secret is for", "description"),
		rotate: i.text("POLICY", "when to rotate: never, hourly, daily, weekly, monthly, quarterly, yearly", "rotate"),
		expire: i.text("TIME", "when the content expires: RFC 3339, or a duration such as 24h", "expire"),
		file:   i.text("FILE", "a YAML or JSON mapping of keys to values", "file"),
	}
	i.options[0].def = string(core.OwnerApp)
	return o
}

// update is what the options and the key=value arguments ask for, and the owner. Everything is
// checked here, before anything is done.
func (o *secretOptions) update(args []string) (u core.SecretUpdate, owner core.OwnerKind, err error) {
	if u.Expires, err = o.expires(); err != nil {
		return u, "", err
	}
	if *o.rotate != "" {
		policy, err := core.ParseRotatePolicy(*o.rotate)
		if err != nil {
			return u, "", usageError(err.Error())
		}
		u.Rotate = &policy
	}
	switch owner = core.OwnerKind(*o.owner); owner {
	case "":
		owner = core.OwnerApp
	case core.OwnerApp, core.OwnerUnit:
	default:
		return u, "", usagef("secret owner %q not valid", *o.owner)
	}
	if *o.label != "" {
		u.Label = o.label
	}
	if *o.text != "" {
		u.Description = o.text
	}
	u.Data, err = o.content(args)
	return u, owner, err
}

// expires reads --expire; nil if it was not given.
func (o *secretOptions) expires() (*time.Time, error) {
	spec := *o.expire
	if spec == "" {
		return nil, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, spec); err == nil {
			at = at.UTC()
			return &at, nil
		}
	}
	d, err := time.ParseDuration(spec)
	if err != nil {
		return nil, usagef("expire time or duration %q not valid", spec)
	}
	if d <= 0 {
		return nil, usagef("negative expire duration %q not valid", spec)
	}
	at := o.i.run.host.Now().Add(d).UTC()
	return &at, nil
}

// content reads the arguments and the file.
func (o *secretOptions) content(args []string) (core.SecretData, error) {
	var text []byte
	if *o.file != "" {
		var err error
		if text, err = o.i.run.host.ReadFile(*o.file, MaxFile); err != nil {
			return nil, usageError(err.Error())
		}
	}
	return SecretContent(args, text, o.i.run.host.ReadFile)
}

// SecretContent is the content of a secret, from key=value arguments and the text of a file;
// the file wins (section 12.1). Read reads what key#file names, up to so many bytes. There is no content if neither
// holds any. No error tells a value, except of an argument that is not key=value.
func SecretContent(args []string, file []byte, read func(path string, limit int64) ([]byte, error)) (core.SecretData, error) {
	raw := map[string]string{}
	for _, arg := range args {
		// The padding of base64 at the end is no separator.
		at := strings.IndexByte(strings.TrimRight(arg, "="), '=')
		if at < 1 {
			return nil, usagef("key value %q not valid", strings.TrimRight(arg, "="))
		}
		raw[arg[:at]] = arg[at+1:]
	}
	set, err := parseMapping(file)
	if err != nil {
		return nil, usageError("the file is not a mapping of keys to values") // the reason would quote it
	}
	for k, v := range set { // any order: keys are distinct
		raw[k] = v
	}
	if len(raw) == 0 {
		return nil, nil
	}
	data := core.SecretData{}
	for _, name := range slices.Sorted(maps.Keys(raw)) {
		key, value, err := secretValue(name, raw[name], read)
		if err != nil {
			return nil, err
		}
		data[key] = value
	}
	err = core.CheckSecretData(data)
	var e *kith.Error
	if errors.As(err, &e) && e.Message != emptySecret {
		return nil, usageError(e.Message)
	}
	return data, err
}

// secretValue turns key, key#base64 or key#file into the key and its value in base64.
func secretValue(name, value string, read func(string, int64) ([]byte, error)) (key, encoded string, err error) {
	key, isFile := strings.CutSuffix(name, fileSuffix)
	key, isEncoded := strings.CutSuffix(key, base64Suffix)
	if !kith.ValidSecretKey(key) {
		return "", "", usagef("key %q not valid", key)
	}
	text := []byte(value)
	if isFile {
		if text, err = read(value, core.MaxSecretSize+1); err != nil {
			return "", "", usagef("reading content for secret key %q: %v", key, err)
		}
	}
	if isEncoded {
		return key, string(text), nil
	}
	return key, base64.StdEncoding.EncodeToString(text), nil
}

// emptySecret is the one refusal of content that is no usage error (section 12.2).
const emptySecret = "empty secret value not valid"
