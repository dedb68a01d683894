// Package client speaks to a kith controller: one method for each thing that
// can be asked, in the types of packages api and core.
//
// [Unix] reaches the controller of this machine through its socket. A [Client] holds a
// few idle connections and may be used from many goroutines; nothing runs in the background. Every method returns a *kith.Error with the code the
// controller gave; one that cannot be reached is Unavailable, with a hint that
// says how to start one.
//
// A mutating call returns when its change is durable. Calls are not repeated by
// themselves: whether a repeat is harmless depends on the command. Those of
// hooks carry a sequence number and may be repeated until they are answered.
//
// A stream is an iterator that ends with one error: nil is never yielded with an
// end of its own. [IsResync] tells that the reader was too slow and should
// simply start again.
package client
