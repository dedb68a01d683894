package controller

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kith"
)

// Metrics counts what controllers do. A nil Metrics counts nothing.
type Metrics struct {
	commands *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	batches  prometheus.Histogram
	commits  *prometheus.HistogramVec
	assigned prometheus.Counter
	hooks    *prometheus.CounterVec
	watching prometheus.Gauge
	hosts    prometheus.Gauge
	reloads  prometheus.Counter
}

// NewMetrics makes the counters and registers them.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kith_commands_total", Help: "Commands answered, by what they ask for and how it ended (ok, unchanged or an error code)."},
			[]string{"op", "outcome"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kith_command_seconds", Help: "Time from taking a command in to its answer.", Buckets: seconds},
			[]string{"op"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "kith_batch_commands", Help: "Commands written in one transaction.", Buckets: prometheus.ExponentialBuckets(1, 2, 12)}),
		commits: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kith_commit_seconds", Help: "Time the store took for one transaction.", Buckets: seconds},
			[]string{"outcome"}),
		assigned: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kith_assignments_total", Help: "Hooks given to agents, newer versions of the same one counted again."}),
		hooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kith_hooks_total", Help: "Hooks that ended, by how (committed, failed)."}, []string{"result"}),
		watching: prometheus.NewGauge(prometheus.GaugeOpts{Name: "kith_watchers", Help: "Open watches of models."}),
		hosts:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "kith_hosts_connected", Help: "Agents with an open stream."}),
		reloads: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kith_reloads_total", Help: "Times a model was loaded again after a failed write."}),
	}
	r.MustRegister(m.commands, m.latency, m.batches, m.commits, m.assigned, m.hooks, m.watching, m.hosts, m.reloads)
	return m
}

// seconds are histogram bounds from 50 µs to 13 s.
var seconds = prometheus.ExponentialBuckets(50e-6, 4, 10)

func (m *Metrics) command(d decided, now time.Time) {
	if m == nil {
		return
	}
	outcome := "ok"
	switch {
	case d.err != nil:
		outcome = string(kith.CodeOf(d.err))
	case d.reply.Unchanged:
		outcome = "unchanged"
	}
	op := d.Op.Name()
	m.commands.WithLabelValues(op, outcome).Inc()
	if !d.submitted.IsZero() {
		m.latency.WithLabelValues(op).Observe(time.Since(d.submitted).Seconds())
	}
	if d.err == nil && !d.reply.Unchanged {
		switch op {
		case "commit-hook":
			m.hooks.WithLabelValues("committed").Inc()
		case "fail-hook":
			m.hooks.WithLabelValues("failed").Inc()
		}
	}
}

func (m *Metrics) batch(commands int) {
	if m != nil {
		m.batches.Observe(float64(commands))
	}
}

func (m *Metrics) commit(took time.Duration, err error) {
	if m == nil {
		return
	}
	outcome := "ok"
	if err != nil {
		outcome = "failed"
		m.reloads.Inc()
	}
	m.commits.WithLabelValues(outcome).Observe(took.Seconds())
}

func (m *Metrics) watchers(n int) {
	if m != nil {
		m.watching.Add(float64(n))
	}
}

func (m *Metrics) connected(n int) {
	if m != nil {
		m.hosts.Add(float64(n))
	}
}

func (m *Metrics) assignment() {
	if m != nil {
		m.assigned.Inc()
	}
}
