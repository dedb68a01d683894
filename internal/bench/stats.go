package main

import (
	"slices"
	"time"
)

// median is the middle of some durations, in milliseconds.
func median(ds []time.Duration) float64 {
	if len(ds) == 0 {
		return 0
	}
	sorted := slices.Clone(ds)
	slices.Sort(sorted)
	return ms(sorted[len(sorted)/2])
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
