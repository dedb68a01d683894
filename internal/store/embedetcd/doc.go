// Package embedetcd runs an etcd server inside this process, for one controller on
// one machine. Nobody else can reach it: there is no TCP port, and no socket either
// unless asked for.
//
// A [Server] is etcd as it is, durable to the last acknowledged write, with the
// settings of a cluster of one: it elects itself at once, keeps little in memory,
// and compacts its old versions by itself. On top of that it does what etcd leaves
// to its operator:
//
//   - One server for a directory. The second is refused with the directory and the
//     process that has it, and changes nothing.
//   - A damaged directory is refused with what is wrong, and left as it is.
//   - A disk that is nearly full is noticed before a write and not in the middle of
//     one: the write is refused, and the server goes on when there is room again.
//   - If etcd must stop all the same (the disk fails), it does not end the process:
//     [Server.Context] ends, and every call fails with the reason.
//
// docs/design/store.md says which settings and why.
package embedetcd
