// Package sim runs the whole system in one goroutine from a seed.
package sim
