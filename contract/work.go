package contract

import (
	"encoding/json"
	"strconv"
	"strings"
)

// cost is what a schema asks of a value, by kind of work: it is counted once, when the
// schema is read. What one step of each kind takes differs a thousandfold, so a sum of
// nodes alone would bound nothing.
type cost struct {
	nodes   int // values of the schema: each is held against each value at most once
	texts   int // instructions of patterns, and all else that reads strings
	numbers int // what computes with numbers, in exact arithmetic
	lists   int // what compares the items of arrays with each other
}

// size is what a value gives to do, by the same kinds.
type size struct {
	values int // values and names
	bytes  int // of strings and names
	digits int // of numbers, their exponents written out, and a share for each
	pairs  int // of values that may have to be compared with each other
}

const (
	// numberShare is what exact arithmetic with a small number costs, in steps.
	numberShare = 10
	// digitsPerStep and bytesPerStep are how much arithmetic and patterns get done in a step.
	digitsPerStep = 16
	bytesPerStep  = 16
	// formatCost is what a format costs a string, as so many instructions of a pattern.
	formatCost = 4
	// fewItems is how many items the validator compares each with each. More it sorts by a hash,
	// which tells strings and numbers apart, but not all arrays and objects.
	fewItems = 20
)

// steps bounds the work of checking a value of that size, of whatever form.
func (c cost) steps(s size) int {
	return c.nodes*s.values + c.texts*s.bytes/bytesPerStep + c.numbers*s.digits + c.lists*s.pairs
}

// price counts what a keyword costs beside being there.
func (in *inliner) price(word string, v any) {
	switch word {
	case "format":
		in.cost.texts += formatCost
	case "minLength", "maxLength":
		in.cost.texts++
	case "uniqueItems":
		in.cost.lists++
	case "type":
		if list, ok := v.([]any); v == "integer" || ok && len(list) > 0 {
			in.cost.numbers++
		}
	}
}

// sizeOf measures a value. It is within [MaxDepth], or the recursion would be without a bound.
func sizeOf(v any) size {
	switch v := v.(type) {
	case string:
		return size{values: 1, bytes: len(v)}
	case json.Number:
		return size{values: 1, digits: numberSteps(string(v))}
	case []any:
		return sizeOfList(v)
	case map[string]any:
		sum := size{values: 1}
		for name, item := range v { // any order: a sum
			sum.values++
			sum.bytes += len(name)
			sum.add(sizeOf(item))
		}
		return sum
	}
	return size{values: 1}
}

func (s *size) add(t size) {
	s.values += t.values
	s.bytes += t.bytes
	s.digits += t.digits
	s.pairs += t.pairs
}

// sizeOfList measures an array. Items that are arrays or objects count as compared each with
// each: nothing says that the hashes of two of them differ.
func sizeOfList(list []any) size {
	sum := size{values: 1}
	var items listSize
	for _, item := range list {
		s := sizeOf(item)
		compound := false
		switch item.(type) {
		case []any, map[string]any:
			compound = true
		}
		items.add(s, compound)
		sum.add(s)
	}
	sum.pairs += items.pairs(sum)
	return sum
}

// listSize gathers what the items of an array have to be compared with each other.
type listSize struct {
	items    int
	compound int // of them arrays and objects
	inside   int // of these: values and digits
}

func (l *listSize) add(item size, compound bool) {
	l.items++
	if compound {
		l.compound++
		l.inside += item.values + item.digits
	}
}

// pairs are those of a list whose items, and itself, add up to sum.
func (l *listSize) pairs(sum size) int {
	return min(l.items, fewItems)*(sum.values+sum.digits) + l.compound*l.inside
}

// numberSteps is what arithmetic with a number costs. An exponent counts as if the zeros
// were written out, because in exact arithmetic they are.
func numberSteps(s string) int {
	digits := len(s)
	if at := strings.IndexAny(s, "eE"); at >= 0 {
		e, err := strconv.Atoi(s[at+1:])
		if err != nil {
			e = MaxExponent
		}
		digits += min(max(e, -e), MaxExponent)
	}
	return numberShare + digits/digitsPerStep
}

// Budget is how much work checks may cost together, in steps. Where it is used up,
// values are reported as not checked. A budget belongs to one goroutine.
type Budget struct {
	left int
	// short says that something was not checked for want of it.
	short bool
}

// NewBudget is a budget of so many steps. One bag is never given more than [MaxWork].
func NewBudget(steps int) *Budget { return &Budget{left: steps} }

// take takes steps out of the budget, if there are as many.
func (b *Budget) take(steps int) bool {
	if steps < 0 || steps > b.left {
		b.short = true
		return false
	}
	b.left -= steps
	return true
}
