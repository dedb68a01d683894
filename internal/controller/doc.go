// Package controller commits commands in order and fans their changes out. It
// knows no HTTP.
//
// Each model has one writer, an [Engine], which owns the working state. It takes
// the commands that are waiting, decides each against the state as the ones
// before left it, and hands their changes over as one [Flight]: one transaction,
// fenced by the ownership of the model. While a flight is under way the next
// batch gathers, so throughput grows with load and latency stays near one write.
//
//   - C1: a snapshot, an event or an answer is given only for what is durable. A
//     refusal, too, waits for the writes it was decided on.
//   - C2: commands of one model take effect in the order they were taken in.
//   - C3: a failed write leaves nothing behind: the engine drops its state and loads
//     again. Commands of the failed flight are answered by what the store then holds;
//     those decided on top of it are decided again.
//   - C4: what a unit is told to run follows from a durable snapshot by
//     resolve.Next. Of a unit nobody works on, the engine knows exactly whether it has
//     something to do; so [Engine.Settled] is exact.
//   - C5: no queue is unbounded. Host sessions and revision watches are level-triggered
//     and keep one state per unit; a watch of entries that lags is cut off (resync).
//
// An Engine is not safe for concurrent use and starts nothing: the simulator
// turns it by hand, [Model] runs it in a goroutine with one more that makes the
// writes. A panic of the rules stops that model with an error that says so, and no other.
//
// [Controller] holds the models of one store, the sessions of hosts, charm
// archives ([Blobs]) and the credentials of hosts and units ([Keys]).
package controller
