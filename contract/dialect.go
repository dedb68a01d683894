package contract

import (
	"fmt"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Dialect is a draft of JSON Schema.
type Dialect string

// The dialects there are contracts in.
const (
	Draft04      Dialect = "04"
	Draft06      Dialect = "06"
	Draft07      Dialect = "07"
	Draft2019    Dialect = "2019-09"
	Draft2020    Dialect = "2020-12"
	localDialect         = Draft2020 // where a schema names none
)

// drafts maps the part of a $schema that tells to the dialect.
var drafts = []struct {
	mark    string
	dialect Dialect
	draft   *jsonschema.Draft
}{
	{"draft-04", Draft04, jsonschema.Draft4},
	{"draft-06", Draft06, jsonschema.Draft6},
	{"draft-07", Draft07, jsonschema.Draft7},
	{"2019-09", Draft2019, jsonschema.Draft2019},
	{"2020-12", Draft2020, jsonschema.Draft2020},
}

// dialectOf reads $schema. Nothing else of it matters: the page is never fetched.
func dialectOf(schema any) (Dialect, error) {
	text, ok := schema.(string)
	if schema == nil || ok && text == "" {
		return localDialect, nil
	}
	for _, d := range drafts {
		if ok && strings.Contains(text, "json-schema.org/") && strings.Contains(text, d.mark) {
			return d.dialect, nil
		}
	}
	return "", fmt.Errorf("the dialect %s is not known", clip(encodeJSON(schema)))
}

// draft is the validator's name for a dialect.
func (d Dialect) draft() *jsonschema.Draft {
	for _, known := range drafts {
		if known.dialect == d {
			return known.draft
		}
	}
	return jsonschema.Draft2020
}

// known reports whether d is one of ours, or empty.
func (d Dialect) known() bool {
	for _, known := range drafts {
		if known.dialect == d {
			return true
		}
	}
	return d == ""
}

// siblings reports whether keywords beside a $ref count: before 2019 they do not.
func (d Dialect) siblings() bool { return d == Draft2019 || d == Draft2020 || d == "" }
