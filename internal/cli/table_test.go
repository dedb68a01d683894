package cli

import "testing"

// CLI reference, section 1.7: elastic tabstops.
func TestTable(t *testing.T) {
	t.Parallel()
	tb := &table{right: map[int]bool{1: true}}
	tb.add("Name", "Rev", "Message")
	tb.add("a", "7", "")
	tb.add("longer", "553", "ready")
	tb.add("short")
	tb.add("x", "1", "the run above ended, so this one is as narrow as it can be")
	want := "Name    Rev  Message\n" +
		"a         7  \n" +
		"longer  553  ready\n" +
		"short\n" +
		"x  1  the run above ended, so this one is as narrow as it can be\n"
	if got := tb.String(); got != want {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}
