package script

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"kith"
	"kith/internal/core"
)

// newSecretID is the next id: the secrets of a script are numbered from 1.
func (w *World) newSecretID() kith.SecretID {
	w.secrets++
	return secretNumber(w.secrets)
}

func secretNumber(n int) kith.SecretID { return kith.SecretID(fmt.Sprintf("%020d", n)) }

var (
	shortID = regexp.MustCompile(`\bsecret:([0-9]{1,19})\b`)
	longID  = regexp.MustCompile(`\b0{10}[0-9]{10}\b`)
)

// fullIDs turns secret:1, as scripts write it, into the id of 20 characters.
func fullIDs(s string) string {
	return shortID.ReplaceAllStringFunc(s, func(id string) string {
		n, _ := strconv.Atoi(strings.TrimPrefix(id, "secret:"))
		return secretNumber(n).URI()
	})
}

// shortIDs is the way back, for what a script prints.
func shortIDs(s string) string {
	return longID.ReplaceAllStringFunc(s, func(id string) string {
		n, _ := strconv.Atoi(id)
		return strconv.Itoa(n)
	})
}

// describeSecret is the end of a secret hook's line.
func describeSecret(h core.Hook) string {
	s := " secret=" + shortIDs(string(h.Secret.ID))
	if h.Secret.Label != "" {
		s += " label=" + h.Secret.Label
	}
	if h.Kind == core.SecretExpired || h.Kind == core.SecretRemove {
		s += " revision=" + strconv.Itoa(h.Secret.Revision)
	}
	return s
}

// content reads KEY=VALUE arguments as the content of a secret.
func content(args []string) (core.SecretData, error) {
	set, err := pairs(args)
	data := core.SecretData{}
	for k, v := range set { // any order: into a map
		data[k] = base64.StdEncoding.EncodeToString([]byte(v))
	}
	return data, err
}

func (w *World) cmdAddSecret(args []string) error {
	data, err := content(args[1:])
	if err != nil {
		return err
	}
	return w.do(core.AddSecret{ID: w.newSecretID(), SecretName: args[0], Data: data})
}

func (w *World) cmdUpdateSecret(args []string) error {
	op := core.UpdateSecret{Secret: fullIDs(args[0])}
	args = args[1:]
	if prune := takeFlag(&args, "prune"); prune {
		op.AutoPrune = &prune
	}
	if name := takeValue(&args, "name", ""); name != "" {
		op.NewName = &name
	}
	var err error
	if op.Data, err = content(args); err != nil {
		return err
	}
	return w.do(op)
}

func (w *World) cmdGrantSecret(args []string, revoke bool) error {
	op := core.GrantSecret{Secret: fullIDs(args[0]), Revoke: revoke}
	for _, a := range args[1:] {
		op.Apps = append(op.Apps, kith.AppName(a))
	}
	return w.do(op)
}

func (w *World) cmdRemoveSecret(args []string) error {
	n, err := takeInt(&args, "revision", "0")
	if err != nil {
		return err
	}
	return w.do(core.RemoveSecret{Secret: fullIDs(args[0]), Revision: n})
}

// cmdSecrets prints a line for each secret: owner and label, its revisions, who may read it, and which revision
// each reader sees.
func (w *World) cmdSecrets([]string) error {
	for s := range w.model.Secrets() {
		line := fmt.Sprintf("%s %s", shortIDs(string(s.ID)), s.Owner)
		if s.Label != "" {
			line += " label=" + s.Label
		}
		line += " revisions"
		for _, r := range w.model.SecretRevisions(s.ID) {
			line += " "
			if r.Obsolete != 0 {
				line += "-"
			}
			line += strconv.Itoa(r.Number)
		}
		if !s.NextRotate.IsZero() {
			line += fmt.Sprintf(", rotates in %s", s.NextRotate.Sub(w.now))
		}
		for g := range w.model.SecretGrants(s.ID) {
			line += ", granted to " + g.Subject
			if g.Relation != nil {
				line += " over " + g.Relation.String()
			}
		}
		for c := range w.model.SecretConsumers(s.ID) {
			line += fmt.Sprintf(", %s sees %d", c.Unit, c.Revision)
			if c.Label != "" {
				line += " as " + c.Label
			}
		}
		w.printf("%s", line)
	}
	return nil
}
