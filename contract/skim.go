package contract

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// skimmed is a JSON text that is checked where it stands. Making values of it takes an
// allocation for every key and value, and that is most of what a check would cost. Like
// [quick] it is only ever sure that all is well: a text with anything unusual, be it an escape in
// a string or a fraction, is left to [decodeJSON], which knows all of JSON and has the words
// for what is wrong.
type skimmed string

// fine reports whether a value, as it is on the wire, certainly fits a key, and takes the work off
// the budget. It allocates nothing for that.
func (k *compiledKey) fine(text string, budget *Budget) bool {
	switch {
	case k.Encoding == JSON:
		return k.skims(text, budget)
	case k.schema == nil || k.quick == nil:
		return k.schema == nil
	}
	work := k.cost.steps(size{values: 1, bytes: len(text)})
	return work >= 0 && work <= budget.left && k.quick.fitsRaw(text) && budget.take(work)
}

// skims reports whether a JSON text certainly fits a key, and takes the work off the budget.
func (k *compiledKey) skims(text string, budget *Budget) bool {
	if k.schema != nil && k.quick == nil {
		return false
	}
	s := skimmed(text)
	end, size, ok := s.value(0, 0)
	if !ok || s.space(end) != len(s) {
		return false
	}
	if k.schema == nil {
		return true
	}
	work := k.cost.steps(size)
	if work < 0 || work > budget.left {
		return false
	}
	_, ok = k.quick.fitsText(s, 0)
	return ok && budget.take(work)
}

// at is the byte at i, or 0 where the text has ended.
func (s skimmed) at(i int) byte {
	if i < len(s) {
		return s[i]
	}
	return 0
}

// space is where the white space from i on ends.
func (s skimmed) space(i int) int {
	for c := s.at(i); c == ' ' || c == '\n' || c == '\t' || c == '\r'; c = s.at(i) {
		i++
	}
	return i
}

// value reads the value at i: where it ends, and its size as of [sizeOf]. A name that an
// object has twice counts twice.
func (s skimmed) value(i, depth int) (end int, sum size, ok bool) {
	if depth > MaxDepth {
		return i, sum, false
	}
	sum.values = 1
	i = s.space(i)
	switch s.at(i) {
	case '"':
		end, ok = s.str(i)
		sum.bytes = end - i - 2
	case '[':
		var items listSize
		end, ok = s.each(i, func(_ string, at int) (int, bool) {
			end, item, ok := s.value(at, depth+1)
			c := s.at(s.space(at))
			items.add(item, c == '[' || c == '{')
			sum.add(item)
			return end, ok
		})
		sum.pairs += items.pairs(sum)
	case '{':
		end, ok = s.each(i, func(name string, at int) (int, bool) {
			end, item, ok := s.value(at, depth+1)
			sum.values++
			sum.bytes += len(name)
			sum.add(item)
			return end, ok
		})
	case 't', 'f', 'n':
		end, ok = s.word(i)
	default:
		end, ok = s.integer(i)
		sum.digits = numberShare + (end-i)/digitsPerStep
	}
	return end, sum, ok
}

// each calls take for each member of the array or object at i, with its name (empty in
// an array) and where its value is; take says where that ends. It stops where take does.
func (s skimmed) each(i int, take func(name string, at int) (end int, ok bool)) (end int, ok bool) {
	object, closing := s[i] == '{', byte(']')
	if object {
		closing = '}'
	}
	if i = s.space(i + 1); s.at(i) == closing {
		return i + 1, true
	}
	for {
		name := ""
		if object {
			if i = s.space(i); s.at(i) != '"' {
				return i, false
			}
			end, ok := s.str(i)
			if !ok {
				return end, false
			}
			name = string(s[i+1 : end-1])
			if i = s.space(end); s.at(i) != ':' {
				return i, false
			}
			i++
		}
		if i, ok = take(name, i); !ok {
			return i, false
		}
		switch i = s.space(i); s.at(i) {
		case ',':
			i++
		case closing:
			return i + 1, true
		default:
			return i, false
		}
	}
}

// str reads the string at i, which must have no escapes.
func (s skimmed) str(i int) (end int, ok bool) {
	ascii := true
	for end = i + 1; end < len(s); end++ {
		switch c := s[end]; {
		case c == '"':
			return end + 1, ascii || utf8.ValidString(string(s[i:end]))
		case c == '\\' || c < ' ':
			return end, false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return end, false
}

// integer reads the number at i, which must be written as an integer and fit an int64.
func (s skimmed) integer(i int) (end int, ok bool) {
	first := i
	if s.at(first) == '-' {
		first++
	}
	for end = first; '0' <= s.at(end) && s.at(end) <= '9'; end++ {
	}
	const surely = 18 // so many digits fit
	digits := end - first
	if digits == 0 || digits > surely || digits > 1 && s[first] == '0' {
		return end, false
	}
	return end, s.at(end) != '.' && s.at(end) != 'e' && s.at(end) != 'E'
}

// word reads true, false or null.
func (s skimmed) word(i int) (end int, ok bool) {
	for _, w := range []string{"true", "false", "null"} {
		if strings.HasPrefix(string(s[i:]), w) {
			return i + len(w), true
		}
	}
	return i, false
}

// fitsText is fits for the value at i of a text that was skimmed, and says where it ends.
func (q *quick) fitsText(s skimmed, i int) (end int, ok bool) {
	i = s.space(i)
	if s[i] == '"' {
		end, _ = s.str(i)
		return end, q.fitsRaw(string(s[i+1 : end-1]))
	}
	if q.words != nil {
		return i, false
	}
	for n, b := range q.choice {
		if _, ok := b.fitsText(s, i); ok {
			break
		} else if n == len(q.choice)-1 {
			return i, false
		}
	}
	switch s[i] {
	case '[':
		return q.fitsItems(s, i)
	case '{':
		return q.fitsMembers(s, i)
	case 't', 'f':
		end, _ = s.word(i)
		return end, q.allows("boolean")
	case 'n':
		end, _ = s.word(i)
		return end, q.allows("null")
	}
	end, _ = s.integer(i)
	return end, q.fitsNumber(string(s[i:end]))
}

func (q *quick) fitsItems(s skimmed, i int) (end int, ok bool) {
	n := int64(0)
	end, ok = s.each(i, func(_ string, at int) (int, bool) {
		n++
		if q.items != nil {
			return q.items.fitsText(s, at)
		}
		end, _, ok := s.value(at, 0)
		return end, ok
	})
	return end, ok && q.allows("array") && q.count.holds(n)
}

// maxRequired is how many required properties are counted; they are bits of a word.
const maxRequired = 64

// fitsMembers takes every value of a name that is there twice, though only the last counts.
func (q *quick) fitsMembers(s skimmed, i int) (end int, ok bool) {
	if len(q.required) > maxRequired {
		return i, false
	}
	var there uint64
	end, ok = s.each(i, func(name string, at int) (int, bool) {
		if n := slices.Index(q.required, name); n >= 0 {
			there |= 1 << n
		}
		member, known := q.properties[name]
		switch {
		case known:
		case q.closed:
			return at, false
		default:
			member = q.others
		}
		if member != nil {
			return member.fitsText(s, at)
		}
		end, _, ok := s.value(at, 0)
		return end, ok
	})
	return end, ok && q.allows("object") && there == 1<<len(q.required)-1
}
