// Command bench measures kith and prints one table: what we take, what a peer
// takes in the same run, their ratio, the target, and whether it is met. It
// never fails for being slow.
//
//	go run ./internal/bench [-run NAME] [-out build/bench.json] [-bin bin]
//
// A peer is something measured in the same run on the same machine: raw etcd, a
// bare embedded etcd, an empty static program, the hook processes themselves. Where
// the peer is Juju, its figure is fixed: Juju 4.1 on a machine of this kind.
// docs/benchmarks.md says how each row is measured.
package main
