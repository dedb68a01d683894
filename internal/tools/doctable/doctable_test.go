package doctable_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kith/internal/tools/doctable"
)

func TestNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.go": `package a
type Box[T any] struct { Open bool; hidden T }
func (b *Box[T]) Close() {}
func (b Box[T]) close() {}
type Pair[K, V any] struct{}
func (Pair[K, V]) Swap() {}
const Red, blue = 1, 2
func New() *Box[int] { return nil }`,
		"a_test.go": `package a
func TestBox() {}
func ExampleNew() {}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		of   func() (map[string]bool, error)
		want string
	}{
		{func() (map[string]bool, error) { return doctable.Exported(dir) }, "Box Box.Close Box.Open New Pair Pair.Swap Red"},
		{func() (map[string]bool, error) { return doctable.Tests(dir) }, "ExampleNew TestBox"},
	} {
		names, err := c.of()
		if got := strings.Join(slices.Sorted(maps.Keys(names)), " "); err != nil || got != c.want {
			t.Errorf("got %s, %v; want %s", got, err, c.want)
		}
	}
	if got := doctable.Quoted("| `a` and `b.c` | d |"); !slices.Equal(got, []string{"a", "b.c"}) {
		t.Errorf("got %q", got)
	}
}
