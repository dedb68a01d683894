package main

// groups are what can be measured, in the order of the table.
var groups = []group{
	{"start", "programs from nothing to their first answer", measureStart},
	{"commit", "hook commits against raw etcd", measureCommit},
	{"contract", "hook commits checked against contracts", measureContract},
	{"integrate", "real charms through a real controller", measureIntegrate},
	{"resident", "a charm in Go whose process stays", measureResident},
	{"python", "a charm on the ops library, and where its time goes", measurePython},
	{"harness", "tests of charms in Go and in Python", measureHarness},
	{"dev", "a shell charm that is worked on under kith dev", measureDev},
	{"scale", "up to 1,000 units, hooks simulated (takes minutes)", measureScale},
}
