package cli

import (
	"context"
	"errors"

	"github.com/spf13/pflag"

	"kith"
	"kith/internal/api"
	"kith/internal/core"
	"kith/internal/hooktool"
)

// secretContent is the flags and arguments that say what a secret holds.
type secretContent struct {
	file, info string
	data       core.SecretData
}

func (s *secretContent) flags(f *pflag.FlagSet) {
	f.StringVar(&s.file, "file", "", "A YAML mapping of keys to values; they win over arguments")
	f.StringVar(&s.info, "info", "", "What the secret is for")
}

// read reads the content: the same forms as in the hook tools (CLI reference, section 14).
func (s *secretContent) read(x *call, args []string) error {
	var text []byte
	if s.file != "" {
		var err error
		if text, err = x.readFile(s.file); err != nil {
			return &usageError{err}
		}
	}
	var err error
	s.data, err = hooktool.SecretContent(args, text, func(path string, limit int64) ([]byte, error) {
		text, err := x.readFile(path)
		return text[:min(int64(len(text)), limit)], err
	})
	var refused *kith.Error
	if err != nil && !errors.As(err, &refused) {
		return &usageError{err}
	}
	return err
}

// secretArg refuses what can be neither the name nor the id of a secret.
func secretArg(args []string, missing string) error {
	if len(args) == 0 || args[0] == "" {
		return usagef("%s", missing)
	}
	return nil
}

func completeSecrets(ctx context.Context, x *call, _ []string) []string {
	all, err := x.api.Secrets(ctx, x.modelID(), "")
	if err != nil {
		return nil
	}
	var names []string
	for _, s := range all {
		if s.Owner.Kind == core.OwnerModel {
			names = append(names, s.Label)
		} else {
			names = append(names, string(s.ID))
		}
	}
	return names
}

// completeShares proposes a secret, then applications.
func completeShares(ctx context.Context, x *call, args []string) []string {
	if len(args) == 0 {
		return completeSecrets(ctx, x, args)
	}
	return completeApps(ctx, x, args)
}

// The document of a secret (CLI reference, section 5.11).
type (
	secretDoc struct {
		Revision    int                 `json:"revision"`
		Checksum    string              `json:"checksum,omitempty"`
		Expires     string              `json:"expires,omitempty"`
		Rotation    string              `json:"rotation,omitempty"`
		Rotates     string              `json:"rotates,omitempty"`
		Owner       string              `json:"owner"`
		Description string              `json:"description,omitempty"`
		Name        string              `json:"name,omitempty"`
		Label       string              `json:"label,omitempty"`
		Created     string              `json:"created"`
		Updated     string              `json:"updated"`
		Content     any                 `json:"content,omitempty"`
		Revisions   []secretRevisionDoc `json:"revisions,omitempty"`
		Access      []secretAccessDoc   `json:"access,omitempty"`
	}
	// secretValuesDoc is the content in JSON; YAML has the values directly.
	secretValuesDoc struct {
		Data map[string]string `json:"Data"`
	}
	secretRevisionDoc struct {
		Revision int    `json:"revision"`
		Backend  string `json:"backend"`
		Created  string `json:"created"`
		Updated  string `json:"updated"`
		Expires  string `json:"expires,omitempty"`
	}
	secretAccessDoc struct {
		Target string `json:"target"`
		Scope  string `json:"scope"`
		Role   string `json:"role"`
	}
)

// internalBackend is the one place where content is kept.
const internalBackend = "internal"

// secretDocument is a secret without its revisions, access and content.
func (x *call) secretDocument(s api.Secret) secretDoc {
	d := secretDoc{
		Revision: s.Revision, Expires: x.timestamp(s.Expires), Rotation: string(s.Rotate), Rotates: x.timestamp(s.Rotates),
		Owner: s.Owner.String(), Description: s.Description, Label: s.Label, Created: x.timestamp(s.Created), Updated: x.timestamp(s.Updated),
	}
	if s.Owner.Kind == core.OwnerModel {
		d.Name, d.Label = s.Label, ""
	}
	return d
}

func (x *call) secretRevisions(s api.Secret) []secretRevisionDoc {
	var all []secretRevisionDoc
	for _, r := range s.Revisions {
		all = append(all, secretRevisionDoc{Revision: r.Number, Backend: internalBackend, Created: x.timestamp(r.Created),
			Updated: x.timestamp(r.Updated), Expires: x.timestamp(r.Expires)})
	}
	return all
}

func (x *call) secretAccess(s api.Secret) []secretAccessDoc {
	var all []secretAccessDoc
	for i, g := range s.Access {
		d := secretAccessDoc{Target: g.Tag(), Scope: "model-" + x.modelID(), Role: "view"}
		if g.Relation != nil {
			d.Scope = core.RelationTag(s.Scopes[i])
		}
		all = append(all, d)
	}
	return all
}
