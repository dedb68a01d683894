// Package storetest is the suite that every store must pass: memstore, the embedded
// etcd, and a remote one. Each test cites the promise of package store (I1 to I8)
// that it holds the store to; durability (I4) is tested where there is a disk.
package storetest
