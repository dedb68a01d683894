package contract

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// clipped is how much of a value an error shows.
const clipped = 100

// clip shortens s to what fits into a line.
func clip(s string) string {
	if len(s) <= clipped {
		return s
	}
	cut := clipped
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

// place is a path for an error, with a word for the top.
func place(path string) string {
	if path == "" {
		return "the top"
	}
	return strings.TrimPrefix(path, "/")
}

// kindOf names the kind of a JSON value, with its article.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number, int, int64, float64:
		return "a number"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return "something else"
}

// sorted sorts list and returns it.
func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// quotedList is names for a sentence: "a", "b" and "c".
func quotedList(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = `"` + s + `"`
	}
	if n := len(quoted); n > 1 {
		return strings.Join(quoted[:n-1], ", ") + " and " + quoted[n-1]
	}
	return strings.Join(quoted, "")
}

// wordList is a set of words, with blanks between them.
type wordList string

func (l wordList) has(word string) bool {
	return !strings.Contains(word, " ") && strings.Contains(" "+string(l)+" ", " "+word+" ")
}
