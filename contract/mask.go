package contract

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// sensitiveWords in the name of a key or property make its value one that is not
// shown. Hiding too much only makes an error less handy.
var sensitiveWords = []string{"password", "passwd", "secret-key", "secret-access", "private-key", "token", "credential", "passphrase"}

// userinfo is the user and password of a URI.
var userinfo = regexp.MustCompile(`://[^/@\s]*:[^/@\s]*@`)

// masked is what stands for a value that is not shown.
const masked = "(not shown)"

// sensitiveName reports whether a name says that its value is secret.
func sensitiveName(name string) bool {
	folded := strings.ReplaceAll(strings.ToLower(name), "_", "-")
	for _, word := range sensitiveWords {
		if strings.Contains(folded, word) {
			return true
		}
	}
	return folded == "uris" || strings.HasSuffix(folded, "-uris") // they hold user and password
}

// show is a value for people: clipped, and hidden if it may be a secret. What has
// parts is told by its size alone, because a part may be one.
func show(v any, sensitive bool) string {
	switch v := v.(type) {
	case []any:
		return "an array of " + strconv.Itoa(len(v))
	case map[string]any:
		return "an object of " + strconv.Itoa(len(v))
	case string:
		return showText(v, sensitive)
	case json.Number:
		if sensitive {
			return masked
		}
		return v.String()
	}
	if sensitive {
		return masked
	}
	return encodeJSON(v)
}

// showText is a string for people.
func showText(s string, sensitive bool) string {
	if sensitive || strings.Contains(s, "PRIVATE KEY") {
		return masked
	}
	return strconv.Quote(clip(userinfo.ReplaceAllString(s, "://(not shown)@")))
}

// Shown is the value of a key of the bag as it may be shown to people: clipped, with whatever
// may be secret replaced.
func (b *Bag) Shown(key, value string) string {
	k, ok := b.Key(key)
	if !ok {
		k = Key{Name: key, Encoding: Raw, Sensitive: sensitiveName(key)}
	}
	if _, err := decodeJSON([]byte(value)); !ok && err == nil {
		k.Encoding = JSON
	}
	k.Sensitive = k.Sensitive || k.Secret == NoSecret && sensitiveName(key)
	return clip(k.harmless(value))
}

// IsSecretReference reports whether a value on the wire refers to a secret.
func IsSecretReference(value string) bool { return isSecretURI(value) }
