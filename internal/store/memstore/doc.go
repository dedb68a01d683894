// Package memstore keeps models in memory, with the promises of package store but
// for durability (I4): what is in a [Server] lives as long as it does.
//
// A Server stands for the etcd cluster, and each [Store] opened on it for one
// controller's connection. Nothing here starts a goroutine, reads a clock or
// blocks, except Watch, which waits for the next event. A lease ends only when
// [Server.Expire] or [Store.Close] says so, and [Server.Events] is Watch without
// the waiting, so a simulator can turn every crank itself.
//
// Values are copied when they are committed and shared when they are read: a
// reader must not modify them.
package memstore
