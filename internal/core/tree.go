package core

import "github.com/tidwall/btree"

// tree is an ordered map that is cheap to take a snapshot of: both sides go on with the
// same map, and who changes it first makes a copy, which shares all nodes that it does not change. A
// model has some forty of them, and a command changes three or four.
//
// The zero value is an empty map. One goroutine may change a tree, or share it, while
// others read what it was shared with.
//
// The rows are of type any, and all V. Every package that knows [Model] compiles the
// generic types in there once more for itself: with a btree of each V that was nine
// tenths of the work for such a package, and most of that for a build of kith.
type tree[V any] struct {
	rows   *btree.Map[string, any] // nil if empty from the start
	shared bool                    // somebody else has rows, too
	// index has the same rows, for who changes them: a command looks up dozens of keys, and each search in
	// some hundred rows compares ten. Nil until the first change.
	index map[string]any
}

// share returns a tree that later changes of t do not touch.
func (t *tree[V]) share() tree[V] {
	t.shared = true
	return tree[V]{rows: t.rows, shared: true}
}

// own is the map to be changed.
func (t *tree[V]) own() *btree.Map[string, any] {
	switch {
	case t.rows == nil:
		t.rows = new(btree.Map[string, any])
	case t.shared:
		t.rows = t.rows.Copy()
	}
	t.shared = false
	if t.index == nil {
		t.index = make(map[string]any, t.rows.Len())
		t.rows.Scan(func(key string, row any) bool { t.index[key] = row; return true })
	}
	return t.rows
}

// set returns what was there before.
func (t *tree[V]) set(key string, v V) V {
	row := any(v)
	old, _ := t.own().Set(key, row)
	t.index[key] = row
	before, _ := old.(V)
	return before
}

// drop returns what was there, and whether there was anything.
func (t *tree[V]) drop(key string) (V, bool) {
	if t.rows == nil {
		var none V
		return none, false
	}
	old, ok := t.own().Delete(key)
	delete(t.index, key)
	before, _ := old.(V)
	return before, ok
}

func (t *tree[V]) get(key string) (V, bool) {
	var row any
	var ok bool
	switch {
	case t.index != nil:
		row, ok = t.index[key]
	case t.rows != nil:
		row, ok = t.rows.Get(key)
	}
	v, _ := row.(V)
	return v, ok
}

func (t *tree[V]) size() int {
	if t.rows == nil {
		return 0
	}
	return t.rows.Len()
}

// ascend calls f with the keys from a text on, in string order, until it returns
// false. The tree must not change meanwhile.
func (t *tree[V]) ascend(from string, f func(key string, v V) bool) {
	if t.rows != nil {
		t.rows.Ascend(from, func(key string, row any) bool { return f(key, row.(V)) })
	}
}

// descend is ascend the other way round: down from a text.
func (t *tree[V]) descend(from string, f func(key string, v V) bool) {
	if t.rows != nil {
		t.rows.Descend(from, func(key string, row any) bool { return f(key, row.(V)) })
	}
}

func (t *tree[V]) keys() (all []string) {
	t.ascend("", func(key string, _ V) bool { all = append(all, key); return true })
	return all
}

func (t *tree[V]) values() (all []V) {
	t.ascend("", func(_ string, v V) bool { all = append(all, v); return true })
	return all
}
