package charm

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// The JSON form of a charm is stored and sent, so it must not change unnoticed.
func TestGoldenJSON(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"frobnitz", "unified"} {
		c, err := Read(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.MarshalIndent(c, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		golden := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s reads as\n%s\nwant, with %v,\n%s\n(go test ./charm -run Golden -update, and look at the diff)", name, got, err, want)
		}
	}
}
