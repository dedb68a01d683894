package agent

import "testing"

// quietCharm, as an argument, makes the charm in Go say nothing that differs from process to process.
const quietCharm = "quiet"

const goCharmMeta = `name: web
summary: s
description: d
provides:
  up: {interface: chain}
requires:
  db: {interface: chain}
peers:
  cluster: {interface: peers}
`

// goCharmFiles are those of a charm in Go: testdata/gocharm.
func goCharmFiles(t testing.TB, args string) map[string]string {
	t.Helper()
	return map[string]string{
		"metadata.yaml": goCharmMeta,
		"config.yaml":   "options:\n  x: {type: string, default: a}\n  do: {type: string, default: ''}\n",
		"actions.yaml":  "act:\n  description: d\n",
		"dispatch":      "#!/bin/sh\nexec '" + goCharm(t) + "' " + args + "\n",
	}
}
