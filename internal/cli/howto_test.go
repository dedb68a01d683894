package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every command of docs/howto/contracts.md stands in the script that runs them, and so does
// the contract it shows.
func TestHowtoContracts(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "howto", "contracts.md"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join("testdata", "script", "contract_howto.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	script := strings.ReplaceAll(string(text), " --hook-tool $KITH_HOOK", "")
	commands := 0
	for _, block := range blocks(string(page), "sh") {
		for line := range strings.Lines(block) {
			commands++
			if !strings.Contains(script, "\nexec "+strings.TrimSpace(line)+"\n") {
				t.Errorf("the script does not run %q", line)
			}
		}
	}
	if commands < 15 {
		t.Errorf("the page has only %d commands that could be found", commands)
	}
	for _, contract := range blocks(string(page), "yaml") {
		if !strings.Contains(script, "-- page.yaml --\n"+contract) {
			t.Errorf("the script does not use the page's contract:\n%s", contract)
		}
	}
}

// blocks are the fenced blocks of a page in one language.
func blocks(page, language string) []string {
	var list []string
	for {
		_, rest, found := strings.Cut(page, "```"+language+"\n")
		if !found {
			return list
		}
		block, after, _ := strings.Cut(rest, "```")
		list, page = append(list, block), after
	}
}
