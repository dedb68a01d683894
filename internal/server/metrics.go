package server

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// httpMetrics counts requests by route.
type httpMetrics struct {
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
}

func newHTTPMetrics(r prometheus.Registerer) *httpMetrics {
	m := &httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kith_http_requests_total", Help: "Requests answered, by route and HTTP status."}, []string{"route", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kith_http_request_seconds", Help: "Time to answer, streams left out.", Buckets: prometheus.ExponentialBuckets(50e-6, 4, 10)},
			[]string{"route"}),
	}
	r.MustRegister(m.requests, m.latency)
	return m
}

func (m *httpMetrics) observe(rt route, status int, took time.Duration) {
	name := rt.method + " " + rt.path
	m.requests.WithLabelValues(name, strconv.Itoa(status)).Inc()
	if !rt.stream {
		m.latency.WithLabelValues(name).Observe(took.Seconds())
	}
}
