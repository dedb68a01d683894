// Package sim runs the whole system in one goroutine from a seed: the store,
// controllers, agents, charms, an operator, the network between them and the
// time. It exists to find what no other test looks for: what happens when things
// break in an order nobody thought of.
//
// What can break is broken on purpose. Agents and controllers die between any
// two things they do, and start again. A commit fails before it reaches the
// store, or after it was applied and before its answer; the batch of a dead
// controller arrives late; ownership is lost to another controller, or to the
// next life of the same one, and the loser goes on until it is told. Messages are
// lost, repeated, delayed and overtaken. Hooks fail, are killed, lose the
// controller in the middle. Leadership moves. Time jumps.
//
// What is real: core, resolve, hooktool, controller.Engine, memstore. What is
// played, with the same promises as the real thing: the agent ([agent], [unit]), the
// loop around the engine ([process]), the network, the charms ([hookRun]), the operator.
//
// # Schedules
//
// [Run] makes a schedule of steps from a seed, or replays one. Each step is an
// action and the choices made in doing it: numbers below a bound, zero always
// being harmless. So a schedule can be replayed to the byte, its steps can be
// taken out one by one, and what is left still means something: [Shrink] does so to a
// failing one, and [WriteScript] writes it for people. When a schedule ends, faults
// stop, and the system must come to rest in a bounded number of steps; then the
// operator removes everything, and nothing may be left.
//
// # Checkers
//
// After each thing that happens the checkers look: one property each, in the
// files check_*.go, listed by [checkers]. They judge by the history the store has
// made durable ([ledger]) and by what charms were shown, and keep their own books:
// what core recorded is not evidence of what core should have done.
//
// # Use
//
//	go test ./internal/sim                                    a few hundred schedules
//	make sim SCHEDULES=10000                                  many, from a seed of the day
//	go test ./internal/sim -run TestSeed -v -seed 42          one seed, with its story
//	go test ./internal/sim -run TestReplay -v -script FILE    one script
//
// What is not done: real processes, sockets and etcd are tested in their own
// packages. Several models, and the removal of one, are not played.
package sim
