package charm_test

import (
	"errors"
	"fmt"

	"kith/charm"
)

func ExampleRead() {
	c, err := charm.Read("testdata/frobnitz")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range c.Meta.Endpoints() {
		fmt.Println(r.Name, r.Role, r.Interface)
	}
	// Output:
	// cluster peer frob-peer
	// db requirer pgsql
	// juju-info provider juju-info
	// logs requirer logging
	// metrics provider prometheus_scrape
	// web provider http
}

func ExampleParseMeta_error() {
	_, err := charm.ParseMeta("metadata.yaml", []byte(`
name: web
summary: Serves pages.
description: It serves pages.
requires:
  database:
    interface: pgsql
    limit: lots
`))
	fmt.Println("error:", err)
	var e *charm.Error
	if errors.As(err, &e) {
		fmt.Printf("line %d of %s: %s is %q, but %s\n", e.Line, e.File, e.Field, e.Value, e.Rule)
	}
	// Output:
	// error: metadata: requires.database.limit: unexpected value "lots" (metadata.yaml:8)
	// line 8 of metadata.yaml: requires.database.limit is "lots", but a limit is a whole number, or empty for none
}

func ExampleCharm_ParseConfigValue() {
	c := charm.Charm{Config: map[string]charm.Option{"port": {Type: charm.IntOption}}}
	fmt.Println(c.ParseConfigValue("port", "8080"))
	fmt.Println(c.ParseConfigValue("port", "cheese"))
	// Output:
	// 8080 <nil>
	// <nil> option "port" expected int, got "cheese"
}
