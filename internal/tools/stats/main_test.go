package main

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestStats(t *testing.T) {
	t.Parallel()
	s, err := measure(fstest.MapFS{
		"go.mod":              {Data: []byte("module x\n")},
		"a/a.go":              {Data: []byte("// Package a is short.\npackage a\n\nfunc One() {\n}\n\nfunc two() {\n\t_ = 1\n}\n")},
		"a/a_test.go":         {Data: []byte("package a\n\n")},
		"b.go":                {Data: []byte("package x\n")},
		"testdata/c.go":       {Data: []byte("not go")},
		"build/go-mod/c.go":   {Data: []byte("not go")},
		".hidden/deeper/c.go": {Data: []byte("not go")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := s.print(&out); err != nil {
		t.Fatal(err)
	}
	want := `  files  lines  comment  tests  package
      1      1       0%      0  .
      1      9      11%      2  a
      2     10      10%      2  (all)

longest files
      9  a/a.go
      1  b.go

longest functions
      3  two  a/a.go:7
      2  One  a/a.go:4
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if _, err := measure(fstest.MapFS{"bad.go": {Data: []byte("not go")}}); err == nil {
		t.Error("a file that does not parse was passed over")
	}
}
