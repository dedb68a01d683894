package charm

import "testing"

// BenchmarkCorpus reads every charm of the corpus once per round.
func BenchmarkCorpus(b *testing.B) {
	dirs := corpusCharms(b)
	for b.Loop() {
		for _, dir := range dirs {
			_, _ = ReadDir(dir)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(dirs)), "µs/charm")
}
